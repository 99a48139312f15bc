package dev.lmm.pytorch.internal;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Each operator in PyTorch's own. */
final class Operators {
  private Operators() {}

  static List<String> lower(Lowering to, Node node) {
    return switch (node.op()) {
      case ATTENTION -> {
        to.poll();
        yield Attentions.attention(to, node);
      }
      case CACHED_ATTENTION -> {
        to.poll();
        yield Attentions.cached(to, node);
      }
      case TOP_K -> topK(to, node);
      case LINEAR, MATMUL, CONV, CONV_TRANSPOSE, EXPERTS, RESIZE -> {
        to.poll();
        yield List.of(single(to, node));
      }
      default -> List.of(single(to, node));
    };
  }

  private static String single(Lowering to, Node node) {
    Value first = node.input(0);
    String x = to.of(first);
    boolean floating = first.dtype().isFloat();
    return switch (node.op()) {
      case ADD, SUB, MUL, POW, MINIMUM, MAXIMUM ->
          to.call(lower(node.op()), x, to.of(node.input(1)));
      case DIV ->
          floating
              ? to.call("div", x, to.of(node.input(1)))
              : to.call("div", x, to.of(node.input(1)), "rounding_mode=\"trunc\"");
      case EQUAL -> to.call("eq", x, to.of(node.input(1)));
      case LESS -> to.call("lt", x, to.of(node.input(1)));
      case LESS_OR_EQUAL -> to.call("le", x, to.of(node.input(1)));
      case AND, OR -> to.call("logical_" + lower(node.op()), x, to.of(node.input(1)));
      case NOT -> to.call("logical_not", x);
      case NEG, ABS, EXP, LOG, SIN, COS, TANH -> to.call(lower(node.op()), x);
      case SQRT, RSQRT, FLOOR, ERF, SIGMOID, RELU, SILU, GELU -> to.call(lower(node.op()), x);
      case GELU_TANH -> to.call("gelu", x, "approximate=\"tanh\"");
      case QUICK_GELU -> to.call("mul_", to.call("sigmoid_", to.call("mul", x, "1.702")), x);
      case CLAMP -> clamp(to, node, x, floating);
      case CAST -> cast(to, node, x, floating);
      case WHERE -> to.call("where", x, to.of(node.input(1)), to.of(node.input(2)));
      case LINEAR -> Products.linear(to, node);
      case MATMUL -> {
        Attributes.MatMul a = node.attributes(Attributes.MatMul.class);
        String y = to.of(node.input(1));
        yield to.call(
            "matmul",
            a.transposeA() ? to.call("transpose", x, -2, -1) : x,
            a.transposeB() ? to.call("transpose", y, -2, -1) : y);
      }
      case EMBEDDING -> to.call("to", to.call("embedding", to.of(node.input(1)), x), 6);
      case EXPERTS -> Products.experts(to, node);
      case CONV, CONV_TRANSPOSE -> Products.convolution(to, node);
      case LAYER_NORM ->
          to.call(
              "layer_norm",
              x,
              "[" + to.dim(first.dim(-1)) + "]",
              to.ofOptional(node.optionalInput(1)),
              to.ofOptional(node.optionalInput(2)),
              node.attributes(Attributes.Norm.class).epsilon());
      case RMS_NORM -> {
        String mean = to.call("mean", to.call("mul", x, x), "[-1]", "True");
        double epsilon = node.attributes(Attributes.Norm.class).epsilon();
        String y = to.call("mul", x, to.call("rsqrt", to.call("add", mean, epsilon)));
        Value weight = node.optionalInput(1);
        yield weight == null ? y : to.call("mul", y, to.of(weight));
      }
      case GROUP_NORM -> {
        Attributes.GroupNorm a = node.attributes(Attributes.GroupNorm.class);
        yield to.call(
            "group_norm",
            x,
            a.groups(),
            to.ofOptional(node.optionalInput(1)),
            to.ofOptional(node.optionalInput(2)),
            a.epsilon());
      }
      case SOFTMAX, LOG_SOFTMAX -> to.call(lower(node.op()), x, axis(node));
      case ROTARY -> Attentions.rotary(to, node);
      case RESHAPE, EXPAND -> to.call(lower(node.op()), x, to.dims(node.output().shape()));
      case TRANSPOSE ->
          to.call("permute", x, node.attributes(Attributes.Transpose.class).permutation());
      case CONCAT ->
          to.call(
              "cat",
              node.inputs().stream()
                  .map(to::ofOptional)
                  .collect(Collectors.joining(", ", "[", "]")),
              axis(node));
      case SLICE -> {
        Attributes.Slice a = node.attributes(Attributes.Slice.class);
        yield to.call("slice", x, a.axis(), to.dim(a.start()), to.dim(a.end()), a.step());
      }
      case PAD -> pad(to, node, x);
      case RESIZE -> resize(to, node, x);
      case GATHER ->
          to.call(
              "reshape",
              to.call(
                  "index_select", x, axis(node), to.call("reshape", to.of(node.input(1)), "[-1]")),
              to.dims(node.output().shape()));
      case GATHER_ELEMENTS ->
          to.call("gather", x, axis(node), to.call("to", to.of(node.input(1)), 4));
      case SCATTER_ROWS ->
          to.call("index_copy", x, 0, to.call("to", to.of(node.input(1)), 4), to.of(node.input(2)));
      case REDUCE_SUM, REDUCE_MEAN, REDUCE_MAX, REDUCE_MIN -> {
        Attributes.Reduce a = node.attributes(Attributes.Reduce.class);
        yield switch (node.op()) {
          // Without being told, a sum of small integers is of large ones.
          case REDUCE_SUM -> to.call("sum", x, a.axes(), a.keepDims(), "dtype=" + type(first));
          case REDUCE_MEAN -> to.call("mean", x, a.axes(), a.keepDims());
          case REDUCE_MAX -> to.call("amax", x, a.axes(), a.keepDims());
          default -> to.call("amin", x, a.axes(), a.keepDims());
        };
      }
      case ARGMAX -> {
        Attributes.ArgMax a = node.attributes(Attributes.ArgMax.class);
        yield to.call("argmax", x, a.axis(), a.keepDims());
      }
      case CUMSUM -> to.call("cumsum", x, axis(node), "dtype=" + type(first));
      case ATTENTION, CACHED_ATTENTION, TOP_K ->
          throw new IllegalStateException(node.op() + " may have several results");
    };
  }

  private static String lower(Op op) {
    return op.name().toLowerCase(Locale.ROOT);
  }

  private static int axis(Node node) {
    return node.attributes(Attributes.Axis.class).axis();
  }

  /** The type a value is computed in. */
  private static int type(Value value) {
    return value.dtype().isFloat() ? 6 : Lowering.code(value.dtype());
  }

  private static String clamp(Lowering to, Node node, String x, boolean floating) {
    Attributes.Clamp a = node.attributes(Attributes.Clamp.class);
    return to.call(
        "clamp",
        x,
        limit(floating ? a.min() : Math.ceil(a.min()), floating),
        limit(floating ? a.max() : Math.floor(a.max()), floating));
  }

  private static String limit(double limit, boolean floating) {
    if (Double.isInfinite(limit)) {
      return "None";
    }
    return floating ? Double.toString(limit) : Long.toString((long) limit);
  }

  private static String cast(Lowering to, Node node, String x, boolean floating) {
    DType target = node.attributes(Attributes.Cast.class).dtype();
    if (target == DType.BOOL) {
      return to.call("ne", x, 0);
    }
    if (target == DType.F32 && floating) {
      return x;
    }
    String y = to.call("to", x, Lowering.code(target));
    // Rounded to the type, and computed with in single precision again.
    return target.isFloat() && target != DType.F32 ? to.call("to", y, 6) : y;
  }

  private static String pad(Lowering to, Node node, String x) {
    Attributes.Pad a = node.attributes(Attributes.Pad.class);
    int rank = a.before().size();
    if (a.mode() == Attributes.PadMode.CONSTANT) {
      List<Integer> both = new ArrayList<>();
      for (int i = rank - 1; i >= 0; i--) {
        both.add(a.before().get(i));
        both.add(a.after().get(i));
      }
      return to.call("constant_pad_nd", x, both, a.value());
    }
    // Looked up, for PyTorch mirrors and repeats the last axes only.
    for (int axis : IntStream.range(0, rank).toArray()) {
      if (a.before().get(axis) + a.after().get(axis) == 0) {
        continue;
      }
      String last = to.let(to.dim(node.input(0).dim(axis)) + " - 1");
      String from =
          to.call("arange", -a.before().get(axis), last + " + " + (a.after().get(axis) + 1));
      String index;
      if (a.mode() == Attributes.PadMode.EDGE) {
        index = to.call("clamp", from, 0, last);
      } else {
        String mirrored = to.call("abs", from);
        String beyond = to.call("abs", to.call("sub", mirrored, last));
        index = to.call("add", to.call("neg", beyond), last);
      }
      x = to.call("index_select", x, axis, index);
    }
    return x;
  }

  private static String resize(Lowering to, Node node, String x) {
    Attributes.Resize a = node.attributes(Attributes.Resize.class);
    Shape size = a.size();
    if (a.mode() != Attributes.ResizeMode.NEAREST) {
      String name = a.mode() == Attributes.ResizeMode.LINEAR ? "bilinear2d" : "bicubic2d";
      String function = a.antialias() ? "_upsample_" + name + "_aa" : "upsample_" + name;
      return to.call(function, x, to.dims(size), a.alignCorners(), "None", "None");
    }
    for (int i = 0; i < size.rank(); i++) {
      Dim in = node.input(0).dim(2 + i);
      String out = to.dim(size.dim(i));
      String scaled = to.call("mul", to.call("arange", out), to.dim(in));
      String index = to.call("div", scaled, out, "rounding_mode=\"trunc\"");
      x = to.call("index_select", x, 2 + i, index);
    }
    return x;
  }

  private static List<String> topK(Lowering to, Node node) {
    Attributes.TopK a = node.attributes(Attributes.TopK.class);
    // Stable, so that of equals the first wins; topk itself promises no order.
    String sorted =
        "torch.sort("
            + to.of(node.input(0))
            + ", stable=True, dim="
            + a.axis()
            + ", descending=True)";
    String both = to.let(sorted);
    String values = to.call("slice", both + "[0]", a.axis(), 0, a.k(), 1);
    return List.of(values, to.call("slice", both + "[1]", a.axis(), 0, a.k(), 1));
  }
}
