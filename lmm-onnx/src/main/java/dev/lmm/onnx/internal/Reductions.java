package dev.lmm.onnx.internal;

import static dev.lmm.onnx.internal.Lowering.in;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Node;
import java.util.List;

/** Operators over whole axes. */
final class Reductions {
  private Reductions() {}

  static List<String> lower(Lowering to, Node node) {
    String path = node.name();
    DType type = node.input(0).dtype();
    boolean narrow = Elementwise.isByte(type);
    String x = Elementwise.widened(to, path, node.input(0), narrow);
    return switch (node.op()) {
      case REDUCE_SUM -> List.of(reduce(to, node, "ReduceSum", x));
      case REDUCE_MEAN -> List.of(reduce(to, node, "ReduceMean", x));
      case REDUCE_MAX -> List.of(reduce(to, node, "ReduceMax", x));
      case REDUCE_MIN -> List.of(reduce(to, node, "ReduceMin", x));
      case ARGMAX -> {
        Attributes.ArgMax a = node.attributes(Attributes.ArgMax.class);
        yield List.of(
            to.op(
                path,
                "ArgMax",
                in(x),
                Attr.of("axis", (long) a.axis()),
                Attr.of("keepdims", a.keepDims())));
      }
      case TOP_K -> topK(to, node, x);
      case CUMSUM -> {
        String axis = to.integer(node.attributes(Attributes.Axis.class).axis());
        String sum = to.op(path, "CumSum", in(x, axis));
        yield List.of(narrow ? Elementwise.narrowed(to, path, sum, type) : sum);
      }
      default -> throw new AssertionError(node.op());
    };
  }

  private static String reduce(Lowering to, Node node, String op, String x) {
    Attributes.Reduce a = node.attributes(Attributes.Reduce.class);
    String axes = to.longs(a.axes().stream().mapToLong(i -> i).toArray());
    String result = to.op(node.name(), op, in(x, axes), Attr.of("keepdims", a.keepDims()));
    DType type = node.output().dtype();
    return Elementwise.isByte(type) ? Elementwise.narrowed(to, node.name(), result, type) : result;
  }

  private static List<String> topK(Lowering to, Node node, String x) {
    String path = node.name();
    Attributes.TopK a = node.attributes(Attributes.TopK.class);
    String values = to.model().unique(path + "/values");
    String indices = to.model().unique(path + "/indices");
    to.model()
        .node(
            path,
            "",
            "TopK",
            in(x, to.longs(a.k())),
            List.of(values, indices),
            Attr.of("axis", (long) a.axis()));
    DType type = node.input(0).dtype();
    return List.of(
        Elementwise.isByte(type) ? Elementwise.narrowed(to, path, values, type) : values, indices);
  }
}
