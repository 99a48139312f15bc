package dev.lmm.core.engine.reference;

import dev.lmm.core.graph.Attributes;
import java.util.List;

/** Operators that move elements and compute nothing. */
final class Shapes {
  private Shapes() {}

  static Elements reshape(Call call) {
    Elements x = call.in(0);
    int[] shape = call.evaluate(call.attributes(Attributes.Reshape.class).shape());
    if (Layout.count(shape) != x.count()) {
      throw call.fail(x + " has another number of elements than " + Layout.count(shape));
    }
    return x.as(shape);
  }

  static Elements transpose(Call call) {
    List<Integer> order = call.attributes(Attributes.Transpose.class).permutation();
    return transpose(call.in(0), order.stream().mapToInt(i -> i).toArray());
  }

  static Elements transpose(Elements x, int[] order) {
    int[] own = Layout.strides(x.shape());
    int[] shape = new int[order.length];
    int[] strides = new int[order.length];
    for (int i = 0; i < order.length; i++) {
      shape[i] = x.dim(order[i]);
      strides[i] = own[order[i]];
    }
    return x.pick(shape, Layout.offsets(shape, strides, 0), 0);
  }

  static Elements expand(Call call) {
    Elements x = call.in(0);
    int[] shape = call.evaluate(call.attributes(Attributes.Expand.class).shape());
    return x.pick(shape, Layout.broadcastOffsets(x.shape(), shape), 0);
  }

  static Elements concat(Call call) {
    int axis = call.axis();
    int length = 0;
    for (int i = 0; i < call.inputs().size(); i++) {
      length += call.in(i).dim(axis);
    }
    Elements first = call.in(0);
    Elements out = Elements.zeros(first.dtype(), Layout.with(first.shape(), axis, length));
    Layout.Split whole = Layout.split(out.shape(), axis);
    int start = 0;
    for (int i = 0; i < call.inputs().size(); i++) {
      Elements part = call.in(i);
      int stretch = part.dim(axis) * whole.inner();
      for (int o = 0; o < whole.outer(); o++) {
        out.put((o * length + start) * whole.inner(), part, o * stretch, stretch);
      }
      start += part.dim(axis);
    }
    return out;
  }

  static Elements slice(Call call) {
    Elements x = call.in(0);
    Attributes.Slice a = call.attributes(Attributes.Slice.class);
    int start = call.evaluate(a.start());
    int end = call.evaluate(a.end());
    if (start < 0 || end < start || end > x.dim(a.axis())) {
      throw call.fail(
          "range " + start + " ... " + end + " is not within axis " + a.axis() + " of " + x);
    }
    int[] shape = Layout.with(x.shape(), a.axis(), (end - start + a.step() - 1) / a.step());
    int[] strides = Layout.strides(x.shape());
    int offset = start * strides[a.axis()];
    strides[a.axis()] *= a.step();
    return x.pick(shape, Layout.offsets(shape, strides, offset), 0);
  }

  static Elements pad(Call call) {
    Elements x = call.in(0);
    Attributes.Pad a = call.attributes(Attributes.Pad.class);
    int[] shape = x.shape().clone();
    for (int axis = 0; axis < shape.length; axis++) {
      int length = shape[axis];
      int most = Math.max(a.before().get(axis), a.after().get(axis));
      if (most > 0
          && ((a.mode() == Attributes.PadMode.REFLECT && most >= length)
              || (a.mode() == Attributes.PadMode.EDGE && length == 0))) {
        throw call.fail("padding " + most + " reaches beyond an axis of " + length + " of " + x);
      }
      shape[axis] = a.before().get(axis) + length + a.after().get(axis);
    }
    int[] strides = Layout.strides(x.shape());
    // Each element's offset is the sum of its axes' parts; -1 once an axis lies outside.
    int[] offsets = new int[Layout.count(shape)];
    for (int axis = 0; axis < shape.length; axis++) {
      Layout.Split split = Layout.split(shape, axis);
      for (int i = 0; i < offsets.length; i++) {
        int index =
            source(
                i / split.inner() % split.length() - a.before().get(axis), x.dim(axis), a.mode());
        offsets[i] = index < 0 || offsets[i] < 0 ? -1 : offsets[i] + index * strides[axis];
      }
    }
    return x.pick(shape, offsets, a.value());
  }

  private static int source(int index, int length, Attributes.PadMode mode) {
    if (index >= 0 && index < length) {
      return index;
    }
    return switch (mode) {
      case CONSTANT -> -1;
      case REFLECT -> index < 0 ? -index : 2 * (length - 1) - index;
      case EDGE -> index < 0 ? 0 : length - 1;
    };
  }
}
