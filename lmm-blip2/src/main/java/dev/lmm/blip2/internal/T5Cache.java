package dev.lmm.blip2.internal;

import dev.lmm.Check;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.decode.KvCache;
import dev.lmm.core.decode.ProgramCache;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.ProgramState;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What T5's decoder keeps: the keys and values of what it has written, and those of the sources its
 * rows look at. Rows of a group look at the same source, which is kept once. Not thread-safe.
 */
final class T5Cache implements KvCache {
  private final ProgramCache written;
  private final int groups;
  private final List<@Nullable Map<String, Tensor>> sources;
  private @Nullable Map<String, Tensor> joined;

  T5Cache(Program program, int groups, int each, int capacity) {
    this.written =
        new ProgramCache(
            program,
            Math.multiplyExact(groups, each),
            capacity,
            Map.of("groups", (long) groups, "each", (long) each, "capacity", (long) capacity));
    this.groups = groups;
    this.sources = new ArrayList<>(Collections.nCopies(groups, null));
  }

  ProgramState state() {
    return written.state();
  }

  int groups() {
    return groups;
  }

  /** What all rows look at: keys and values [1, n, heads * d] by name. */
  void attend(Map<String, Tensor> source) {
    Collections.fill(sources, source);
    joined = null;
  }

  /** The sources side by side, the shorter ones filled up, and where there is something to see. */
  Map<String, Tensor> joined() {
    if (joined == null) {
      List<Map<String, Tensor>> all = new ArrayList<>(groups);
      for (Map<String, Tensor> source : sources) {
        Check.that(source != null, "prompt: has no source, and the model looks at one");
        all.add(source);
      }
      joined = join(all);
    }
    return joined;
  }

  /** Sources side by side, the shorter ones filled up, and {@code seen}. */
  static Map<String, Tensor> join(List<Map<String, Tensor>> sources) {
    int longest = sources.stream().mapToInt(T5Cache::length).max().orElseThrow();
    boolean[] seen = new boolean[sources.size() * longest];
    for (int i = 0; i < seen.length; i++) {
      seen[i] = i % longest < length(sources.get(i / longest));
    }
    Map<String, Tensor> all = new HashMap<>();
    all.put("seen", Tensor.of(seen, sources.size(), 1, 1, longest));
    for (String name : sources.get(0).keySet()) {
      if (sources.size() == 1) {
        all.put(name, sources.get(0).get(name));
        continue;
      }
      int width = (int) sources.get(0).get(name).dim(2);
      Tensor whole = Tensor.zeros(DType.F32, sources.size(), longest, width);
      for (int i = 0; i < sources.size(); i++) {
        Tensor one = sources.get(i).get(name);
        whole.floats().put(i * longest * width, one.floats(), 0, length(sources.get(i)) * width);
      }
      all.put(name, whole);
    }
    return all;
  }

  private static int length(Map<String, Tensor> source) {
    return (int) source.get(T5Graphs.KEYS + 0).dim(1);
  }

  @Override
  public int rows() {
    return written.rows();
  }

  @Override
  public int capacity() {
    return written.capacity();
  }

  @Override
  public void copyRows(KvCache source, int[] from, int[] to, int first, int end) {
    if (!(source instanceof T5Cache other)) {
      throw new InvalidRequestException(
          "source: is a " + source.getClass().getName() + "; expected a cache of the same model");
    }
    written.copyRows(other.written, from, to, first, end);
    List<@Nullable Map<String, Tensor>> read = new ArrayList<>(other.sources);
    for (int i = 0; i < to.length; i++) {
      int target = to[i] / (rows() / groups);
      Map<String, Tensor> moved = read.get(from[i] / (other.rows() / other.groups));
      if (sources.get(target) != moved) {
        sources.set(target, moved);
        joined = null;
      }
    }
  }

  @Override
  public void close() {
    written.close();
    Collections.fill(sources, null);
    joined = null;
  }
}
