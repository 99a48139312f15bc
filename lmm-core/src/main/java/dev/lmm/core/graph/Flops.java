package dev.lmm.core.graph;

import java.util.function.ToLongFunction;

/** Counts the floating point operations of a graph's matrix products, two for each multiply-add. */
public final class Flops {
  private Flops() {}

  /**
   * Counts.
   *
   * @param graph the graph
   * @param symbols the length of each symbol
   * @return operations of linear layers, products, convolutions and attention; all else is small
   */
  public static double of(Graph graph, ToLongFunction<String> symbols) {
    double sum = 0;
    for (Node node : graph.nodes()) {
      double out = elements(node.output(), symbols);
      sum +=
          switch (node.op()) {
            case LINEAR -> 2 * out * length(node.input(1), 1, symbols);
            case MATMUL -> {
              boolean transposed = node.attributes(Attributes.MatMul.class).transposeA();
              yield 2 * out * length(node.input(0), transposed ? -2 : -1, symbols);
            }
            case CONV ->
                2 * out * elements(node.input(1), symbols) / length(node.input(1), 0, symbols);
            case CONV_TRANSPOSE ->
                2
                    * elements(node.input(0), symbols)
                    * elements(node.input(1), symbols)
                    / length(node.input(1), 0, symbols);
            case ATTENTION ->
                2 * (elements(node.input(0), symbols) + out) * length(node.input(1), 1, symbols);
            case CACHED_ATTENTION ->
                2 * (elements(node.input(0), symbols) + out) * length(node.input(3), 2, symbols);
            default -> 0;
          };
    }
    return sum;
  }

  private static double elements(Value value, ToLongFunction<String> symbols) {
    return value.shape().elements().evaluate(symbols);
  }

  private static double length(Value value, int axis, ToLongFunction<String> symbols) {
    return value.dim(axis).evaluate(symbols);
  }
}
