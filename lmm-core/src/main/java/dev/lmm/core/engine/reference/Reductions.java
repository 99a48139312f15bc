package dev.lmm.core.engine.reference;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Op;
import java.util.Arrays;
import java.util.List;

/** Operators that fold one or more axes. */
final class Reductions {
  private Reductions() {}

  static Elements reduce(Call call) {
    Elements x = call.in(0);
    Attributes.Reduce a = call.attributes(Attributes.Reduce.class);
    int[] kept = x.shape().clone();
    a.axes().forEach(axis -> kept[axis] = 1);
    // Where each element of x is folded into.
    int[] to = Layout.broadcastOffsets(kept, x.shape());
    int count = Layout.count(kept);
    if (x.count() == 0 && count > 0 && (call.op() == Op.REDUCE_MAX || call.op() == Op.REDUCE_MIN)) {
      throw call.fail("there is no extreme of no elements of " + x);
    }
    int[] shape = a.keepDims() ? kept : without(kept, a.axes());
    if (!x.isFloat()) {
      return Elements.of(x.dtype(), shape, integers(call.op(), x.longs(), to, count));
    }
    double[] folded = new double[count];
    Arrays.fill(
        folded,
        switch (call.op()) {
          case REDUCE_MAX -> Double.NEGATIVE_INFINITY;
          case REDUCE_MIN -> Double.POSITIVE_INFINITY;
          default -> 0;
        });
    for (int i = 0; i < to.length; i++) {
      double value = x.floats()[i];
      folded[to[i]] =
          switch (call.op()) {
            case REDUCE_MAX -> Math.max(folded[to[i]], value);
            case REDUCE_MIN -> Math.min(folded[to[i]], value);
            default -> folded[to[i]] + value;
          };
    }
    double divisor = call.op() == Op.REDUCE_MEAN ? (double) to.length / count : 1;
    float[] out = new float[count];
    for (int i = 0; i < count; i++) {
      out[i] = (float) (folded[i] / divisor);
    }
    return Elements.of(x.dtype(), shape, out);
  }

  private static long[] integers(Op op, long[] x, int[] to, int count) {
    long[] folded = new long[count];
    Arrays.fill(
        folded,
        switch (op) {
          case REDUCE_MAX -> Long.MIN_VALUE;
          case REDUCE_MIN -> Long.MAX_VALUE;
          default -> 0;
        });
    for (int i = 0; i < to.length; i++) {
      folded[to[i]] =
          switch (op) {
            case REDUCE_MAX -> Math.max(folded[to[i]], x[i]);
            case REDUCE_MIN -> Math.min(folded[to[i]], x[i]);
            default -> folded[to[i]] + x[i];
          };
    }
    return folded;
  }

  /** A shape without some axes. */
  static int[] without(int[] shape, List<Integer> axes) {
    int[] out = new int[shape.length - axes.size()];
    int at = 0;
    for (int i = 0; i < shape.length; i++) {
      if (!axes.contains(i)) {
        out[at++] = shape[i];
      }
    }
    return out;
  }

  static Elements cumsum(Call call) {
    Elements x = call.in(0);
    Layout.Split split = Layout.split(x.shape(), call.axis());
    float[] floats = x.isFloat() ? x.floats().clone() : new float[0];
    long[] longs = x.isFloat() ? new long[0] : x.longs().clone();
    for (int o = 0; o < split.outer(); o++) {
      for (int i = 0; i < split.inner(); i++) {
        double sum = 0;
        long whole = 0;
        for (int j = 0; j < split.length(); j++) {
          int at = (o * split.length() + j) * split.inner() + i;
          if (x.isFloat()) {
            sum += floats[at];
            floats[at] = (float) sum;
          } else {
            whole += longs[at];
            longs[at] = whole;
          }
        }
      }
    }
    return x.isFloat()
        ? Elements.of(x.dtype(), x.shape(), floats)
        : Elements.of(x.dtype(), x.shape(), longs);
  }
}
