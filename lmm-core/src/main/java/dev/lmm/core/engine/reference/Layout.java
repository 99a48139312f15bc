package dev.lmm.core.engine.reference;

import dev.lmm.EngineException;
import java.util.Arrays;

/** Arithmetic of shapes, strides and offsets. */
final class Layout {
  private Layout() {}

  /** How many elements, for one index of an axis, lie before, along and after it. */
  record Split(int outer, int length, int inner) {}

  static int[] ints(long[] shape) {
    int[] ints = new int[shape.length];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = (int) shape[i];
      if (ints[i] != shape[i] || ints[i] < 0) {
        throw new EngineException(
            "the interpreter has no values of shape " + Arrays.toString(shape));
      }
    }
    return ints;
  }

  static int count(int[] shape) {
    return count(shape, 0, shape.length);
  }

  static int count(int[] shape, int from, int to) {
    long product = 1;
    for (int i = from; i < to; i++) {
      product *= shape[i];
      if (product > Integer.MAX_VALUE) {
        throw new EngineException(
            "a value of shape " + Arrays.toString(shape) + " is too large for the interpreter");
      }
    }
    return (int) product;
  }

  static Split split(int[] shape, int axis) {
    return new Split(count(shape, 0, axis), shape[axis], count(shape, axis + 1, shape.length));
  }

  static int[] strides(int[] shape) {
    int[] strides = new int[shape.length];
    int stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= shape[i];
    }
    return strides;
  }

  /** The strides that read a shape as if it were broadcast to a larger one. */
  static int[] broadcastStrides(int[] from, int[] to) {
    int[] own = strides(from);
    int[] strides = new int[to.length];
    int lead = to.length - from.length;
    for (int i = 0; i < from.length; i++) {
      strides[lead + i] = from[i] == 1 ? 0 : own[i];
    }
    return strides;
  }

  /** The offset of every element of a strided view, row by row. */
  static int[] offsets(int[] shape, int[] strides, int start) {
    int[] offsets = new int[count(shape)];
    int[] index = new int[shape.length];
    int offset = start;
    for (int i = 0; i < offsets.length; i++) {
      offsets[i] = offset;
      for (int axis = shape.length - 1; axis >= 0; axis--) {
        offset += strides[axis];
        if (++index[axis] < shape[axis]) {
          break;
        }
        offset -= strides[axis] * shape[axis];
        index[axis] = 0;
      }
    }
    return offsets;
  }

  /** The offsets that read a shape as if it were broadcast to a larger one. */
  static int[] broadcastOffsets(int[] from, int[] to) {
    return offsets(to, broadcastStrides(from, to), 0);
  }

  /** The shape two shapes broadcast to. */
  static int[] broadcast(int[] a, int[] b) {
    int[] shape = new int[Math.max(a.length, b.length)];
    for (int i = 0; i < shape.length; i++) {
      int fromA = i - shape.length + a.length;
      int fromB = i - shape.length + b.length;
      int lengthA = fromA < 0 ? 1 : a[fromA];
      int lengthB = fromB < 0 ? 1 : b[fromB];
      if (lengthA != lengthB && lengthA != 1 && lengthB != 1) {
        throw new EngineException(
            Arrays.toString(a) + " and " + Arrays.toString(b) + " do not broadcast together");
      }
      shape[i] = lengthA == 1 ? lengthB : lengthA;
    }
    return shape;
  }

  /** A shape with another length at one axis. */
  static int[] with(int[] shape, int axis, int length) {
    int[] out = shape.clone();
    out[axis] = length;
    return out;
  }

  /** The first axes of one shape, then some numbers. */
  static int[] append(int[] shape, int kept, int... more) {
    int[] out = Arrays.copyOf(shape, kept + more.length);
    System.arraycopy(more, 0, out, kept, more.length);
    return out;
  }
}
