package dev.lmm.diffusion.internal;

import dev.lmm.EngineException;
import dev.lmm.Precision;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.reference.NonFinite;
import dev.lmm.core.graph.Graph;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.function.Function;

/** Numbers that are none: seen, and traced to the layer that made them. */
final class Overflow {
  private Overflow() {}

  /** Whether NaN or an infinity is among numbers. */
  static boolean in(FloatBuffer numbers) {
    for (int i = numbers.position(); i < numbers.limit(); i++) {
      if (!Float.isFinite(numbers.get(i))) {
        return true;
      }
    }
    return false;
  }

  /**
   * What happened, for a warning or an error.
   *
   * @param part that made such numbers
   * @param precision it was computed in
   * @param graph of the part
   * @param inputs of the run
   * @param compiler of the graph's parts, in that precision
   */
  static String told(
      String part,
      Precision precision,
      Graph graph,
      Map<String, Tensor> inputs,
      Function<Graph, Program> compiler) {
    return part
        + ", computed in "
        + precision.label()
        + ", made numbers that are not finite; the first in "
        + where(graph, inputs, compiler);
  }

  private static String where(
      Graph graph, Map<String, Tensor> inputs, Function<Graph, Program> compiler) {
    try {
      return NonFinite.find(graph, inputs, compiler)
          .map(NonFinite.Finding::toString)
          .orElse("a layer that did not make them when it was run again");
    } catch (EngineException e) {
      return "a layer that could not be found: " + e.getMessage();
    }
  }
}
