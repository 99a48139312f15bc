package dev.lmm.core.engine.reference;

import dev.lmm.EngineException;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A value while it is computed: floating point numbers as floats (rounded to their type), integers
 * and truth values as longs, row by row. Not changed once a kernel has returned it.
 */
final class Elements {
  private final DType dtype;
  private final int[] shape;
  private final float @Nullable [] floats;
  private final long @Nullable [] longs;

  private Elements(DType dtype, int[] shape, float @Nullable [] floats, long @Nullable [] longs) {
    this.dtype = dtype;
    this.shape = shape;
    this.floats = floats;
    this.longs = longs;
  }

  /** Takes over the array; rounds it to the type. */
  static Elements of(DType dtype, int[] shape, float[] data) {
    if (dtype == DType.F16) {
      for (int i = 0; i < data.length; i++) {
        data[i] = HalfFloats.fromF16(HalfFloats.toF16(data[i]));
      }
    } else if (dtype == DType.BF16) {
      for (int i = 0; i < data.length; i++) {
        data[i] = HalfFloats.fromBf16(HalfFloats.toBf16(data[i]));
      }
    }
    return new Elements(dtype, shape, data, null);
  }

  /** Takes over the array; wraps it around to the type. */
  static Elements of(DType dtype, int[] shape, long[] data) {
    if (dtype != DType.I64) {
      for (int i = 0; i < data.length; i++) {
        data[i] =
            switch (dtype) {
              case I32 -> (int) data[i];
              case I8 -> (byte) data[i];
              case U8 -> data[i] & 0xff;
              case BOOL -> data[i] == 0 ? 0 : 1;
              default -> throw new EngineException("the interpreter has no values of " + dtype);
            };
      }
    }
    return new Elements(dtype, shape, null, data);
  }

  static Elements zeros(DType dtype, int[] shape) {
    int count = Layout.count(shape);
    return dtype.isFloat()
        ? new Elements(dtype, shape, new float[count], null)
        : new Elements(dtype, shape, null, new long[count]);
  }

  DType dtype() {
    return dtype;
  }

  /** The lengths; not to be changed. */
  int[] shape() {
    return shape;
  }

  int rank() {
    return shape.length;
  }

  /** One length; a negative axis counts from the end. */
  int dim(int axis) {
    return shape[axis < 0 ? axis + shape.length : axis];
  }

  int count() {
    return floats != null ? floats.length : longs().length;
  }

  boolean isFloat() {
    return floats != null;
  }

  float[] floats() {
    if (floats == null) {
      throw new IllegalStateException(dtype + " has no floats");
    }
    return floats;
  }

  long[] longs() {
    if (longs == null) {
      throw new IllegalStateException(dtype + " has no integers");
    }
    return longs;
  }

  /** The same elements under another shape. */
  Elements as(int[] other) {
    return new Elements(dtype, other, floats, longs);
  }

  /**
   * Elements picked one by one.
   *
   * @param offsets of each picked element; -1 picks the fill
   */
  Elements pick(int[] picked, int[] offsets, double fill) {
    if (floats != null) {
      float[] out = new float[offsets.length];
      for (int i = 0; i < out.length; i++) {
        out[i] = offsets[i] < 0 ? (float) fill : floats[offsets[i]];
      }
      return of(dtype, picked, out);
    }
    long[] from = longs();
    long[] out = new long[offsets.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = offsets[i] < 0 ? (long) fill : from[offsets[i]];
    }
    return of(dtype, picked, out);
  }

  /** Overwrites a stretch; only for elements that nobody else has seen yet. */
  void put(int at, Elements from, int start, int count) {
    if (floats != null) {
      System.arraycopy(from.floats(), start, floats, at, count);
    } else {
      System.arraycopy(from.longs(), start, longs(), at, count);
    }
  }

  Elements copy() {
    return new Elements(
        dtype, shape, floats == null ? null : floats.clone(), longs == null ? null : longs.clone());
  }

  static Elements of(Tensor tensor) {
    return of(tensor.dtype(), Layout.ints(tensor.shape()), tensor.data());
  }

  /** Reads native-order bytes. */
  static Elements of(DType dtype, int[] shape, ByteBuffer data) {
    int count = Layout.count(shape);
    if (dtype.isFloat()) {
      float[] out = new float[count];
      switch (dtype) {
        case F16 -> {
          for (int i = 0; i < count; i++) {
            out[i] = HalfFloats.fromF16(data.getShort(2 * i));
          }
        }
        case BF16 -> {
          for (int i = 0; i < count; i++) {
            out[i] = HalfFloats.fromBf16(data.getShort(2 * i));
          }
        }
        default -> data.asFloatBuffer().get(out);
      }
      return new Elements(dtype, shape, out, null);
    }
    long[] out = new long[count];
    for (int i = 0; i < count; i++) {
      out[i] =
          switch (dtype) {
            case I64 -> data.getLong(8 * i);
            case I32 -> data.getInt(4 * i);
            default -> data.get(i);
          };
    }
    return of(dtype, shape, out);
  }

  /** A copy in direct memory. */
  Tensor tensor() {
    Tensor tensor = Tensor.zeros(dtype, Arrays.stream(shape).asLongStream().toArray());
    ByteBuffer data = tensor.data();
    if (floats != null) {
      switch (dtype) {
        case F16 -> {
          for (float f : floats) {
            data.putShort(HalfFloats.toF16(f));
          }
        }
        case BF16 -> {
          for (float f : floats) {
            data.putShort(HalfFloats.toBf16(f));
          }
        }
        default -> data.asFloatBuffer().put(floats);
      }
      return tensor;
    }
    for (long value : longs()) {
      switch (dtype) {
        case I64 -> data.putLong(value);
        case I32 -> data.putInt((int) value);
        default -> data.put((byte) value);
      }
    }
    return tensor;
  }

  @Override
  public String toString() {
    return dtype + Arrays.toString(shape);
  }
}
