package dev.lmm.core.engine.reference;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongBinaryOperator;

/** Operators that look at one element of each input. */
final class Elementwise {
  private Elementwise() {}

  /** Two values of one numeric type, to the same type. */
  static Elements arithmetic(Call call) {
    Elements a = call.in(0);
    Elements b = call.in(1);
    int[] shape = Layout.broadcast(a.shape(), b.shape());
    int[] fromA = offsets(a, shape);
    int[] fromB = offsets(b, shape);
    if (a.isFloat()) {
      DoubleBinaryOperator f = floating(call);
      float[] x = a.floats();
      float[] y = b.floats();
      float[] out = new float[fromA.length];
      for (int i = 0; i < out.length; i++) {
        out[i] = (float) f.applyAsDouble(x[fromA[i]], y[fromB[i]]);
      }
      return Elements.of(a.dtype(), shape, out);
    }
    LongBinaryOperator f = integer(call);
    long[] x = a.longs();
    long[] y = b.longs();
    long[] out = new long[fromA.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = f.applyAsLong(x[fromA[i]], y[fromB[i]]);
    }
    return Elements.of(a.dtype(), shape, out);
  }

  private static DoubleBinaryOperator floating(Call call) {
    return switch (call.op()) {
      case ADD -> Double::sum;
      case SUB -> (a, b) -> a - b;
      case MUL -> (a, b) -> a * b;
      case DIV -> (a, b) -> a / b;
      case POW -> Math::pow;
      case MINIMUM -> Math::min;
      case MAXIMUM -> Math::max;
      default -> throw call.fail("is no arithmetic");
    };
  }

  private static LongBinaryOperator integer(Call call) {
    return switch (call.op()) {
      case ADD -> Long::sum;
      case SUB -> (a, b) -> a - b;
      case MUL -> (a, b) -> a * b;
      case DIV ->
          (a, b) -> {
            if (b == 0) {
              throw call.fail("division of the integer " + a + " by zero");
            }
            return a / b;
          };
      case POW ->
          (a, b) -> {
            if (b < 0) {
              throw call.fail("integer " + a + " to the negative power " + b);
            }
            return power(a, b);
          };
      case MINIMUM -> Math::min;
      case MAXIMUM -> Math::max;
      default -> throw call.fail("is no arithmetic");
    };
  }

  private static long power(long base, long exponent) {
    long result = 1;
    for (long square = base, e = exponent; e > 0; e >>= 1, square *= square) {
      if ((e & 1) == 1) {
        result *= square;
      }
    }
    return result;
  }

  /** Two values of one type, to BOOL. */
  static Elements compare(Call call) {
    Elements a = call.in(0);
    Elements b = call.in(1);
    int[] shape = Layout.broadcast(a.shape(), b.shape());
    int[] fromA = offsets(a, shape);
    int[] fromB = offsets(b, shape);
    long[] out = new long[fromA.length];
    for (int i = 0; i < out.length; i++) {
      boolean holds;
      if (a.isFloat()) {
        float x = a.floats()[fromA[i]];
        float y = b.floats()[fromB[i]];
        holds =
            switch (call.op()) {
              case EQUAL -> x == y;
              case LESS -> x < y;
              default -> x <= y;
            };
      } else {
        long x = a.longs()[fromA[i]];
        long y = b.longs()[fromB[i]];
        holds =
            switch (call.op()) {
              case EQUAL -> x == y;
              case LESS -> x < y;
              case LESS_OR_EQUAL -> x <= y;
              case AND -> (x & y) == 1;
              default -> (x | y) == 1;
            };
      }
      out[i] = holds ? 1 : 0;
    }
    return Elements.of(DType.BOOL, shape, out);
  }

  private static int[] offsets(Elements from, int[] to) {
    return Layout.broadcastOffsets(from.shape(), to);
  }

  static Elements where(Call call) {
    Elements condition = call.in(0);
    Elements a = call.in(1);
    Elements b = call.in(2);
    int[] shape = Layout.broadcast(condition.shape(), Layout.broadcast(a.shape(), b.shape()));
    int[] ofCondition = offsets(condition, shape);
    int[] fromA = offsets(a, shape);
    int[] fromB = offsets(b, shape);
    Elements out = Elements.zeros(a.dtype(), shape);
    for (int i = 0; i < fromA.length; i++) {
      if (condition.longs()[ofCondition[i]] != 0) {
        out.put(i, a, fromA[i], 1);
      } else {
        out.put(i, b, fromB[i], 1);
      }
    }
    return out;
  }

  /** One value, to the same type. */
  static Elements unary(Call call) {
    Elements x = call.in(0);
    if (x.isFloat()) {
      DoubleUnaryOperator f = function(call);
      float[] out = x.floats().clone();
      for (int i = 0; i < out.length; i++) {
        out[i] = (float) f.applyAsDouble(out[i]);
      }
      return Elements.of(x.dtype(), x.shape(), out);
    }
    long[] out = x.longs().clone();
    for (int i = 0; i < out.length; i++) {
      out[i] =
          switch (call.op()) {
            case NOT -> 1 - out[i];
            case NEG -> -out[i];
            case ABS -> Math.abs(out[i]);
            default -> throw call.fail("takes no integers");
          };
    }
    return Elements.of(x.dtype(), x.shape(), out);
  }

  private static DoubleUnaryOperator function(Call call) {
    return switch (call.op()) {
      case NEG -> x -> -x;
      case ABS -> Math::abs;
      case EXP -> Math::exp;
      case LOG -> Math::log;
      case SIN -> Math::sin;
      case COS -> Math::cos;
      case TANH -> Math::tanh;
      case SQRT -> Math::sqrt;
      case RSQRT -> x -> 1 / Math.sqrt(x);
      case FLOOR -> Math::floor;
      case ERF -> Elementwise::erf;
      case SIGMOID -> Elementwise::sigmoid;
      case RELU -> x -> Math.max(x, 0);
      case SILU -> Elementwise::silu;
      case GELU -> Elementwise::gelu;
      case GELU_TANH ->
          x -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case QUICK_GELU -> x -> x * sigmoid(1.702 * x);
      default -> throw call.fail("is no function of one number");
    };
  }

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  static double silu(double x) {
    return x * sigmoid(x);
  }

  static double gelu(double x) {
    return 0.5 * x * (1 + erf(x / Math.sqrt(2)));
  }

  /**
   * The error function, 2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (1*3*...*(2n+1)): all terms have
   * one sign, so nothing cancels.
   */
  static double erf(double x) {
    if (Math.abs(x) >= 6) {
      // 1 - erf(6) is below the last place of a double.
      return Math.signum(x);
    }
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }

  static Elements clamp(Call call) {
    Elements x = call.in(0);
    Attributes.Clamp a = call.attributes(Attributes.Clamp.class);
    if (x.isFloat()) {
      float[] out = x.floats().clone();
      for (int i = 0; i < out.length; i++) {
        out[i] = (float) Math.min(Math.max(out[i], a.min()), a.max());
      }
      return Elements.of(x.dtype(), x.shape(), out);
    }
    long[] out = x.longs().clone();
    for (int i = 0; i < out.length; i++) {
      if (out[i] < a.min()) {
        out[i] = (long) Math.ceil(a.min());
      } else if (out[i] > a.max()) {
        out[i] = (long) Math.floor(a.max());
      }
    }
    return Elements.of(x.dtype(), x.shape(), out);
  }

  static Elements cast(Call call) {
    return cast(call.in(0), call.attributes(Attributes.Cast.class).dtype());
  }

  static Elements cast(Elements x, DType dtype) {
    if (x.dtype() == dtype) {
      return x;
    }
    if (dtype.isFloat()) {
      float[] out = new float[x.count()];
      for (int i = 0; i < out.length; i++) {
        out[i] = x.isFloat() ? x.floats()[i] : (float) x.longs()[i];
      }
      return Elements.of(dtype, x.shape(), out);
    }
    long[] out = new long[x.count()];
    for (int i = 0; i < out.length; i++) {
      if (!x.isFloat()) {
        out[i] = x.longs()[i];
      } else if (dtype == DType.BOOL) {
        // A half is true, though it truncates to zero.
        out[i] = x.floats()[i] != 0 ? 1 : 0;
      } else {
        out[i] = (long) x.floats()[i];
      }
    }
    return Elements.of(dtype, x.shape(), out);
  }
}
