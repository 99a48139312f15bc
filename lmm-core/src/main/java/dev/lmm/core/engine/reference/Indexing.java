package dev.lmm.core.engine.reference;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import java.util.Arrays;
import java.util.List;

/** Operators that look elements up, and those that find where they are. */
final class Indexing {
  private Indexing() {}

  static Elements gather(Call call) {
    Elements x = call.in(0);
    Elements indices = call.in(1);
    int axis = call.axis();
    Layout.Split split = Layout.split(x.shape(), axis);
    int[] shape =
        Layout.append(
            Layout.append(x.shape(), axis, indices.shape()),
            axis + indices.rank(),
            Arrays.copyOfRange(x.shape(), axis + 1, x.rank()));
    Elements out = Elements.zeros(x.dtype(), shape);
    int at = 0;
    for (int o = 0; o < split.outer(); o++) {
      for (long index : indices.longs()) {
        int from = o * split.length() + call.index(index, split.length(), "index");
        out.put(at, x, from * split.inner(), split.inner());
        at += split.inner();
      }
    }
    return out;
  }

  static Elements gatherElements(Call call) {
    Elements x = call.in(0);
    Elements indices = call.in(1);
    Layout.Split from = Layout.split(x.shape(), call.axis());
    Layout.Split to = Layout.split(indices.shape(), call.axis());
    int[] offsets = new int[indices.count()];
    for (int i = 0; i < offsets.length; i++) {
      int outer = i / to.inner() / to.length();
      int index = call.index(indices.longs()[i], from.length(), "index");
      offsets[i] = (outer * from.length() + index) * from.inner() + i % to.inner();
    }
    return x.pick(indices.shape(), offsets, 0);
  }

  static Elements scatterRows(Call call) {
    Elements x = call.in(0);
    Elements updates = call.in(2);
    int row = Layout.count(x.shape(), 1, x.rank());
    Elements out = x.copy();
    long[] indices = call.in(1).longs();
    for (int i = 0; i < indices.length; i++) {
      out.put(call.index(indices[i], x.dim(0), "index") * row, updates, i * row, row);
    }
    return out;
  }

  static Elements argMax(Call call) {
    Elements x = call.in(0);
    Attributes.ArgMax a = call.attributes(Attributes.ArgMax.class);
    Layout.Split split = Layout.split(x.shape(), a.axis());
    if (split.length() == 0) {
      throw call.fail("there is no largest along an axis of no elements of " + x);
    }
    long[] out = new long[split.outer() * split.inner()];
    for (int o = 0; o < split.outer(); o++) {
      for (int i = 0; i < split.inner(); i++) {
        int start = o * split.length() * split.inner() + i;
        int best = 0;
        for (int j = 1; j < split.length(); j++) {
          if (above(x, start + j * split.inner(), start + best * split.inner())) {
            best = j;
          }
        }
        out[o * split.inner() + i] = best;
      }
    }
    int[] kept = Layout.with(x.shape(), a.axis(), 1);
    return Elements.of(
        DType.I64, a.keepDims() ? kept : Reductions.without(kept, List.of(a.axis())), out);
  }

  static List<Elements> topK(Call call) {
    Elements x = call.in(0);
    Attributes.TopK a = call.attributes(Attributes.TopK.class);
    Layout.Split split = Layout.split(x.shape(), a.axis());
    if (a.k() > split.length()) {
      throw call.fail("k " + a.k() + " exceeds axis " + a.axis() + " of " + x);
    }
    int[] shape = Layout.with(x.shape(), a.axis(), a.k());
    int[] offsets = new int[Layout.count(shape)];
    long[] indices = new long[offsets.length];
    for (int o = 0; o < split.outer(); o++) {
      for (int i = 0; i < split.inner(); i++) {
        int start = o * split.length() * split.inner() + i;
        boolean[] taken = new boolean[split.length()];
        for (int rank = 0; rank < a.k(); rank++) {
          int best = -1;
          for (int j = 0; j < split.length(); j++) {
            if (!taken[j]
                && (best < 0
                    || above(x, start + j * split.inner(), start + best * split.inner()))) {
              best = j;
            }
          }
          taken[best] = true;
          int at = (o * a.k() + rank) * split.inner() + i;
          offsets[at] = start + best * split.inner();
          indices[at] = best;
        }
      }
    }
    return List.of(x.pick(shape, offsets, 0), Elements.of(DType.I64, shape, indices));
  }

  /** Whether one element is larger than another; NaN is the largest, as in the references. */
  private static boolean above(Elements x, int first, int second) {
    if (!x.isFloat()) {
      return x.longs()[first] > x.longs()[second];
    }
    float a = x.floats()[first];
    float b = x.floats()[second];
    return a > b || (Float.isNaN(a) && !Float.isNaN(b));
  }
}
