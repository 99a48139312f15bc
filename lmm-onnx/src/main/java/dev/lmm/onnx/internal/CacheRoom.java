package dev.lmm.onnx.internal;

import dev.lmm.EngineException;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import java.nio.IntBuffer;
import java.util.List;
import java.util.Map;

/**
 * Refuses a run whose new entries do not fit its state, before a kernel writes beyond it. Counts
 * that a graph computes itself are left to the operator's own checks.
 */
final class CacheRoom {
  private record Need(Value past, Node node) {}

  private final List<Need> needs;

  CacheRoom(Graph graph) {
    this.needs =
        graph.nodes().stream()
            .filter(node -> node.op() == Op.CACHED_ATTENTION)
            .filter(node -> node.input(5).kind() == Value.Kind.INPUT)
            .map(node -> new Need(node.input(5), node))
            .toList();
  }

  /**
   * Checks.
   *
   * @param inputs of the run, already checked for type and shape
   * @param symbols the length of each symbol
   * @throws EngineException if a row has no room
   */
  void check(Map<String, Tensor> inputs, Map<String, Long> symbols) {
    for (Need need : needs) {
      long fresh = need.node().input(0).dim(1).evaluate(symbols::get);
      long capacity = need.node().input(3).dim(2).evaluate(symbols::get);
      Tensor past = inputs.get(need.past().name());
      IntBuffer kept = past == null ? IntBuffer.allocate(0) : past.ints();
      for (int row = 0; row < kept.remaining(); row++) {
        if (kept.get(row) < 0 || kept.get(row) + fresh > capacity) {
          throw new EngineException(
              need.node().name()
                  + ": row "
                  + row
                  + " keeps "
                  + kept.get(row)
                  + " entries and gets "
                  + fresh
                  + " more; the state has room for "
                  + capacity);
        }
      }
    }
  }
}
