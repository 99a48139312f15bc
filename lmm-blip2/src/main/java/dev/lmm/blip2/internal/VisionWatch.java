package dev.lmm.blip2.internal;

import dev.lmm.AttentionMap;
import dev.lmm.AttentionMap.Axis;
import dev.lmm.AttentionMap.Kind;
import dev.lmm.ClosedException;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.graph.WeightUsage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The vision tower watched at work: what its patches attend to. Compiled when it is first wanted.
 * Thread-safe.
 */
final class VisionWatch implements AutoCloseable {
  private final LoadContext context;
  private final Blip2Config.Vision config;
  private @Nullable Program program;
  private boolean closed;

  VisionWatch(LoadContext context, Blip2Config.Vision config) {
    this.context = context;
    this.config = config;
  }

  /** What patches attend to. */
  AttentionMap look(Tensor pixels, RunOptions run) {
    Map<String, Tensor> found = program().run(Map.of("pixels", pixels), Set.of(), run);
    Axis axis = axis(config);
    return new AttentionMap(
        Kind.PATCH_TO_PATCH, axis, axis, config.numAttentionHeads(), layers(found, "layer"));
  }

  /** The rows of a tower: the class token and the patches. */
  static Axis axis(Blip2Config.Vision config) {
    return Axis.patches(config.down(), config.across(), Axis.WHOLE, "[CLS]");
  }

  /** Outputs of a name and 0, 1 and so on. */
  static List<float[]> layers(Map<String, Tensor> found, String name) {
    List<float[]> layers = new ArrayList<>();
    for (Tensor layer = found.get(name + 0); layer != null; ) {
      layers.add(layer.toFloats());
      layer = found.get(name + layers.size());
    }
    return layers;
  }

  private synchronized Program program() {
    if (closed) {
      throw new ClosedException(context.info().id() + " was closed");
    }
    Program known = program;
    if (known == null) {
      WeightUsage usage = new WeightUsage(context.weights(), context.config().source());
      known = context.compile(VisionGraph.watched(config, usage));
      program = known;
    }
    return known;
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (program != null) {
      program.close();
    }
  }
}
