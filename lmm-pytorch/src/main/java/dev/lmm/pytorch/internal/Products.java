package dev.lmm.pytorch.internal;

import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Linear layers, convolutions and experts, in the precision their weights are held in. */
final class Products {
  private static final int BFLOAT16 = 15;

  private Products() {}

  static String linear(Lowering to, Node node) {
    String x = to.of(node.input(0));
    Value bias = node.optionalInput(2);
    LinearWeights.Few few = to.forms().few(node.input(1));
    if (few != null) {
      String y = fewBits(to, node, x, few);
      return bias == null ? y : to.call("add", y, to.of(bias));
    }
    int half = to.forms().half();
    String weight = to.of(node.input(1));
    if (half == 0) {
      return to.call("linear", x, weight, to.ofOptional(bias));
    }
    return to.call(
        "to",
        to.call("linear", in(to, x, half), in(to, weight, half), inOptional(to, bias, half)),
        6);
  }

  private static String fewBits(Lowering to, Node node, String x, LinearWeights.Few few) {
    QuantizedTensor tensor = few.tensor();
    if (tensor.order() != null) {
      x = to.call("index_select", x, -1, "orders[" + to.forms().orderOf(node.input(1)) + "]");
    }
    return switch (few.kernel()) {
      // Seven bits of activations: pairs of products would overflow 16 bits where a processor has
      // no instruction for them.
      case DYNAMIC ->
          to.let("ops.quantized.linear_dynamic(" + x + ", dynamic[" + few.place() + "], True)");
      case BLOCKS_OF_4 -> {
        String rows = to.call("reshape", x, "[-1, " + tensor.columns() + "]");
        String y =
            to.call(
                "_weight_int4pack_mm_for_cpu",
                in(to, rows, BFLOAT16),
                "four[" + 2 * few.place() + "]",
                tensor.block(),
                "four[" + (2 * few.place() + 1) + "]");
        yield to.call("reshape", to.call("to", y, 6), to.dims(node.output().shape()));
      }
      case UNPACKED -> to.call("linear", x, "unpacked[" + few.place() + "]", "None");
    };
  }

  /** A value in another floating point type; itself if it is of that type. */
  private static String in(Lowering to, String value, int type) {
    return to.call("to", value, type);
  }

  private static String inOptional(Lowering to, @Nullable Value value, int type) {
    return value == null ? "None" : in(to, to.of(value), type);
  }

  static String experts(Lowering to, Node node) {
    String x = to.of(node.input(0));
    String gate = to.call("transpose", to.of(node.input(2)), 1, 2);
    String up = to.call("transpose", to.of(node.input(3)), 1, 2);
    String down = to.call("transpose", to.of(node.input(4)), 1, 2);
    boolean silu =
        node.attributes(Attributes.Experts.class).activation() == Attributes.Activation.SILU;
    String g = to.call(silu ? "silu" : "gelu", to.call("matmul", x, gate));
    String h = to.call("mul", g, to.call("matmul", x, up));
    String y = to.call("matmul", h, down);
    String routing = to.call("unsqueeze", to.call("transpose", to.of(node.input(1)), 0, 1), -1);
    return to.call("sum", to.call("mul", y, routing), "[0]", "False");
  }

  static String convolution(Lowering to, Node node) {
    String x = to.of(node.input(0));
    String weight = to.of(node.input(1));
    String bias = to.ofOptional(node.optionalInput(2));
    int half = node.op() == Op.CONV ? to.forms().half() : 0;
    if (half != 0) {
      x = in(to, x, half);
      weight = in(to, weight, half);
      bias = inOptional(to, node.optionalInput(2), half);
    }
    if (node.op() == Op.CONV_TRANSPOSE) {
      Attributes.ConvTranspose a = node.attributes(Attributes.ConvTranspose.class);
      List<Integer> ones = a.strides().stream().map(s -> 1).toList();
      return to.call(
          "convolution",
          x,
          weight,
          bias,
          a.strides(),
          a.padding(),
          ones,
          "True",
          a.outputPadding(),
          a.groups());
    }
    Attributes.Conv a = node.attributes(Attributes.Conv.class);
    List<Integer> zeros = a.strides().stream().map(s -> 0).toList();
    List<Integer> padding = a.padBefore();
    if (!a.padBefore().equals(a.padAfter())) {
      List<Integer> both = new ArrayList<>();
      for (int i = a.strides().size() - 1; i >= 0; i--) {
        both.add(a.padBefore().get(i));
        both.add(a.padAfter().get(i));
      }
      x = to.call("constant_pad_nd", x, both, 0);
      padding = zeros;
    }
    String y =
        to.call(
            "convolution",
            x,
            weight,
            bias,
            a.strides(),
            padding,
            a.dilations(),
            "False",
            zeros,
            a.groups());
    return half == 0 ? y : to.call("to", y, 6);
  }
}
