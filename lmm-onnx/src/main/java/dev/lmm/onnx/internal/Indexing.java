package dev.lmm.onnx.internal;

import static dev.lmm.onnx.internal.Lowering.in;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import java.util.List;

/** Operators that look entries up. */
final class Indexing {
  private Indexing() {}

  static List<String> lower(Lowering to, Node node) {
    String path = node.name();
    String x = to.of(node.input(0));
    String indices = guarded(to, node, node.input(1));
    return List.of(
        switch (node.op()) {
          case GATHER -> to.op(path, "Gather", in(x, indices), axis(node));
          case GATHER_ELEMENTS -> to.op(path, "GatherElements", in(x, indices), axis(node));
          case SCATTER_ROWS -> {
            String rows = to.op(path, "Unsqueeze", in(indices, to.longs(1)));
            yield to.op(path, "ScatterND", in(x, rows, to.of(node.input(2))));
          }
          default -> throw new AssertionError(node.op());
        });
  }

  private static Attr axis(Node node) {
    return Attr.of("axis", (long) node.attributes(Attributes.Axis.class).axis());
  }

  /**
   * Indices as I64, a negative one turned into one that exists nowhere: ONNX would count it from
   * the end, here it is an error.
   */
  static String guarded(Lowering to, Node node, Value indices) {
    String path = node.name() + "/indices";
    String name = to.of(indices);
    if (indices.dtype() != DType.I64) {
      name = to.cast(path, name, DType.I64);
    }
    Node producer = to.uses().producer(indices);
    if (Lowering.is(producer, Op.ARGMAX) || Lowering.is(producer, Op.TOP_K)) {
      return name;
    }
    return nonNegative(to, path, name);
  }

  /** Clears the sign bit of I64 numbers. */
  static String nonNegative(Lowering to, String path, String indices) {
    return to.op(path, "BitwiseAnd", in(indices, to.integer(Long.MAX_VALUE)));
  }
}
