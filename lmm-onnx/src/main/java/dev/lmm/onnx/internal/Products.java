package dev.lmm.onnx.internal;

import static dev.lmm.onnx.internal.Lowering.in;

import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import java.util.List;

/** Matrix products and what is made of them. */
final class Products {
  private Products() {}

  static List<String> lower(Lowering to, Node node) {
    return List.of(
        switch (node.op()) {
          case LINEAR -> linear(to, node);
          case MATMUL -> matmul(to, node);
          case EMBEDDING -> embedding(to, node);
          case EXPERTS -> experts(to, node);
          default -> throw new AssertionError(node.op());
        });
  }

  private static String linear(Lowering to, Node node) {
    String path = node.name();
    Value x = node.input(0);
    Value weight = node.input(1);
    Value bias = node.optionalInput(2);
    if (bias != null && to.fusions().leftBias(node.output()) != null) {
      bias = null;
    }
    QuantizedTensor quantized = to.quantized(weight);
    if (quantized != null) {
      return Quantized.linear(to, node, quantized, bias);
    }
    if (bias != null) {
      return withBias(to, node, bias);
    }
    Shape rows = x.rank() == 1 ? new Shape(List.of(Dim.of(1), x.dim(0))) : x.shape();
    String in = to.reshape(path, to.of(x), x.shape(), rows);
    String product = timesTransposed(to, path, in, to.of(weight), 1);
    return to.reshape(path, product, rows.with(-1, weight.dim(0)), node.output().shape());
  }

  /** One product of two matrices that begins with the bias, which saves a pass over the result. */
  private static String withBias(Lowering to, Node node, Value bias) {
    String path = node.name();
    Value x = node.input(0);
    Value weight = node.input(1);
    Dim count = new Shape(x.shape().dims().subList(0, x.rank() - 1)).elements();
    Shape rows = new Shape(List.of(count, x.dim(-1)));
    String in = to.reshape(path, to.of(x), x.shape(), rows);
    String product = to.op(path, "Gemm", in(in, to.of(weight), to.of(bias)), Attr.of("transB", 1L));
    return to.reshape(path, product, rows.with(1, weight.dim(0)), node.output().shape());
  }

  /** a times b transposed, times a factor. */
  static String timesTransposed(Lowering to, String path, String a, String b, double factor) {
    Attr transB = Attr.of("transB", 1L);
    return factor == 1
        ? to.microsoft(path, "FusedMatMul", in(a, b), transB)
        : to.microsoft(path, "FusedMatMul", in(a, b), transB, Attr.of("alpha", factor));
  }

  private static String matmul(Lowering to, Node node) {
    Attributes.MatMul a = node.attributes(Attributes.MatMul.class);
    String left = to.of(node.input(0));
    String right = to.of(node.input(1));
    if (!a.transposeA() && !a.transposeB()) {
      return to.op(node.name(), "MatMul", in(left, right));
    }
    return to.microsoft(
        node.name(),
        "FusedMatMul",
        in(left, right),
        Attr.of("transA", a.transposeA()),
        Attr.of("transB", a.transposeB()));
  }

  private static String embedding(Lowering to, Node node) {
    String path = node.name();
    String ids = Indexing.guarded(to, node, node.input(0));
    Lowering.StoredTable table = to.table(node.input(1));
    if (table != null) {
      String rows = to.op(path, "Gather", in(table.name(), ids), Attr.of("axis", 0));
      return to.cast(path, rows, DType.F32);
    }
    return to.op(path, "Gather", in(to.of(node.input(1)), ids), Attr.of("axis", 0));
  }

  /**
   * Every expert for every token, weighted: the weight of an expert a token is not routed to is 0.
   */
  private static String experts(Lowering to, Node node) {
    String path = node.name();
    Attributes.Activation activation = node.attributes(Attributes.Experts.class).activation();
    String x = to.op(path, "Unsqueeze", in(to.of(node.input(0)), to.longs(0)));
    String gate = timesTransposed(to, path + "/gate", x, to.of(node.input(2)), 1);
    gate =
        activation == Attributes.Activation.SILU
            ? to.microsoft(path, "QuickGelu", in(gate), Attr.of("alpha", 1.0))
            : to.op(path, "Gelu", in(gate));
    String up = timesTransposed(to, path + "/up", x, to.of(node.input(3)), 1);
    String hidden = to.op(path, "Mul", in(gate, up));
    String down = timesTransposed(to, path + "/down", hidden, to.of(node.input(4)), 1);
    String routing = to.transpose(path, to.of(node.input(1)), 1, 0);
    routing = to.op(path, "Unsqueeze", in(routing, to.longs(2)));
    // A product with 0 would keep the NaN of an expert that overflows for a token it never sees.
    String routed = to.op(path, "Equal", in(routing, to.scalar(0)));
    String part = to.op(path, "Mul", in(down, routing));
    part = to.op(path, "Where", in(routed, to.scalar(0), part));
    return to.op(path, "ReduceSum", in(part, to.longs(0)), Attr.of("keepdims", 0L));
  }
}
