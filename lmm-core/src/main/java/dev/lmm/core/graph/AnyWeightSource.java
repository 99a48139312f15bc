package dev.lmm.core.graph;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Holds every tensor it was asked for, of the shape first expected. */
final class AnyWeightSource implements WeightSource {
  private final Map<String, long[]> shapes = new LinkedHashMap<>();

  @Override
  public boolean isOpenEnded() {
    return true;
  }

  @Override
  public void expect(String name, long[] shape) {
    shapes.putIfAbsent(name, shape.clone());
  }

  @Override
  public long @Nullable [] shape(String name) {
    return shapes.get(name);
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(shapes.keySet());
  }

  @Override
  public String description() {
    return "no checkpoint";
  }
}
