package dev.lmm.onnx.internal;

import static dev.lmm.onnx.internal.Lowering.computed;
import static dev.lmm.onnx.internal.Lowering.in;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Operators that work element by element. */
final class Elementwise {
  private Elementwise() {}

  static List<String> binary(Lowering to, Node node) {
    String path = node.name();
    Node norm = node.op() == Op.ADD ? to.fusions().normalised(node) : null;
    if (norm != null) {
      return List.of(Norms.addAndNorm(to, node, norm));
    }
    DType type = node.input(0).dtype();
    boolean narrow = isByte(type) && node.op() != Op.AND && node.op() != Op.OR;
    String a = widened(to, path, node.input(0), narrow);
    String b = widened(to, path, node.input(1), narrow);
    String result =
        switch (node.op()) {
          case ADD -> to.op(path, "Add", in(a, b));
          case SUB -> to.op(path, "Sub", in(a, b));
          case MUL -> to.op(path, "Mul", in(a, b));
          case DIV -> type.isFloat() ? to.op(path, "Div", in(a, b)) : intDiv(to, node, a, b);
          case POW -> to.op(path, "Pow", in(a, b));
          case MINIMUM -> to.op(path, "Min", in(a, b));
          case MAXIMUM -> to.op(path, "Max", in(a, b));
          case EQUAL -> to.op(path, "Equal", in(a, b));
          case LESS -> to.op(path, "Less", in(a, b));
          case LESS_OR_EQUAL -> to.op(path, "LessOrEqual", in(a, b));
          case AND -> to.op(path, "And", in(a, b));
          case OR -> to.op(path, "Or", in(a, b));
          default -> throw new AssertionError(node.op());
        };
    boolean back = narrow && node.output().dtype() == type;
    return List.of(back ? narrowed(to, path, result, type) : result);
  }

  /**
   * Integer division. The runtime divides with the processor's instruction, which ends the process
   * on a zero divisor and on the smallest number by -1; here the first fails the run (by looking up
   * an entry that is not there) and the second wraps.
   */
  private static String intDiv(Lowering to, Node node, String a, String b) {
    String path = node.name();
    DType type = node.input(0).dtype() == DType.I64 ? DType.I64 : DType.I32;
    String zero = to.cast(path, to.integer(0), type);
    String one = to.cast(path, to.integer(1), type);
    String minusOne = to.cast(path, to.integer(-1), type);
    String isZero = to.cast(path + "/zero_divisor", to.op(path, "Equal", in(b, zero)), DType.I64);
    String none = to.op(path + "/zero_divisor", "Gather", in(to.longs(0), isZero));
    String checked = to.op(path, "Add", in(b, to.cast(path, none, type)));
    String isMinusOne = to.op(path, "Equal", in(checked, minusOne));
    String safe = to.op(path, "Where", in(isMinusOne, one, checked));
    String quotient = to.op(path, "Div", in(a, safe));
    return to.op(path, "Where", in(isMinusOne, to.op(path, "Neg", in(a)), quotient));
  }

  static List<String> unary(Lowering to, Node node) {
    String path = node.name();
    DType type = node.input(0).dtype();
    boolean narrow = isByte(type);
    String x = widened(to, path, node.input(0), narrow);
    String result =
        switch (node.op()) {
          case NOT -> to.op(path, "Not", in(x));
          case NEG -> to.op(path, "Neg", in(x));
          case ABS -> to.op(path, "Abs", in(x));
          case EXP -> to.op(path, "Exp", in(x));
          case LOG -> to.op(path, "Log", in(x));
          case SIN -> to.op(path, "Sin", in(x));
          case COS -> to.op(path, "Cos", in(x));
          case TANH -> to.op(path, "Tanh", in(x));
          case SQRT -> to.op(path, "Sqrt", in(x));
          case RSQRT -> to.op(path, "Reciprocal", in(to.op(path, "Sqrt", in(x))));
          case FLOOR -> to.op(path, "Floor", in(x));
          case ERF -> to.op(path, "Erf", in(x));
          case SIGMOID -> to.op(path, "Sigmoid", in(x));
          case RELU -> to.op(path, "Relu", in(x));
          case SILU -> to.microsoft(path, "QuickGelu", in(x), Attr.of("alpha", 1.0));
          case QUICK_GELU -> to.microsoft(path, "QuickGelu", in(x), Attr.of("alpha", 1.702));
          case GELU -> gelu(to, node, x);
          case GELU_TANH -> to.op(path, "Gelu", in(x), Attr.of("approximate", "tanh"));
          default -> throw new AssertionError(node.op());
        };
    return List.of(narrow ? narrowed(to, path, result, type) : result);
  }

  private static String gelu(Lowering to, Node node, String x) {
    Value bias = to.fusions().leftBias(node.input(0));
    return bias == null
        ? to.op(node.name(), "Gelu", in(x))
        : to.microsoft(node.name(), "BiasGelu", in(x, to.of(bias)));
  }

  static List<String> other(Lowering to, Node node) {
    return List.of(
        switch (node.op()) {
          case CLAMP -> clamp(to, node);
          case CAST -> cast(to, node);
          case WHERE -> where(to, node);
          default -> throw new AssertionError(node.op());
        });
  }

  private static String clamp(Lowering to, Node node) {
    Attributes.Clamp limits = node.attributes(Attributes.Clamp.class);
    DType type = computed(node.input(0).dtype());
    String min = limit(to, node, limits.min(), true, type);
    String max = limit(to, node, limits.max(), false, type);
    return to.op(node.name(), "Clip", in(to.of(node.input(0)), min, max));
  }

  private static @Nullable String limit(
      Lowering to, Node node, double limit, boolean lower, DType type) {
    if (Double.isInfinite(limit) && (limit < 0) == lower) {
      return null;
    }
    if (type == DType.F32) {
      return to.scalar(limit);
    }
    double whole = lower ? Math.ceil(limit) : Math.floor(limit);
    double least = type == DType.U8 ? 0 : type == DType.I64 ? Long.MIN_VALUE : min(type);
    double most = type == DType.U8 ? 255 : type == DType.I64 ? Long.MAX_VALUE : -min(type) - 1;
    long bound = (long) Math.max(least, Math.min(most, whole));
    return to.cast(node.name(), to.integer(bound), type);
  }

  private static double min(DType type) {
    return type == DType.I8 ? Byte.MIN_VALUE : Integer.MIN_VALUE;
  }

  private static String cast(Lowering to, Node node) {
    String path = node.name();
    String x = to.of(node.input(0));
    DType from = node.input(0).dtype();
    DType target = node.attributes(Attributes.Cast.class).dtype();
    if (target.isFloat()) {
      String result = from.isFloat() ? x : to.cast(path, x, DType.F32);
      // Values are F32 whatever their type says; only their precision is that of the type.
      return target == DType.F32 || from == target
          ? result
          : to.cast(path, to.cast(path, result, target), DType.F32);
    }
    if (isByte(target) && from.isFloat()) {
      return to.cast(path, to.cast(path, x, DType.I32), target);
    }
    return computed(from) == target ? x : to.cast(path, x, target);
  }

  private static String where(Lowering to, Node node) {
    String path = node.name();
    DType type = node.output().dtype();
    boolean narrow = type == DType.BOOL || isByte(type);
    String a = widened(to, path, node.input(1), narrow);
    String b = widened(to, path, node.input(2), narrow);
    String result = to.op(path, "Where", in(to.of(node.input(0)), a, b));
    return narrow ? narrowed(to, path, result, type) : result;
  }

  /** Whether the runtime lacks most kernels for a type, so that it is computed in I32. */
  static boolean isByte(DType type) {
    return type == DType.U8 || type == DType.I8;
  }

  static String widened(Lowering to, String path, Value value, boolean widen) {
    String name = to.of(value);
    return widen ? to.cast(path, name, DType.I32) : name;
  }

  static String narrowed(Lowering to, String path, String value, DType type) {
    return to.cast(path, value, type);
  }
}
