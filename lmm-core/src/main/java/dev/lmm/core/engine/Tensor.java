package dev.lmm.core.engine;

import dev.lmm.Check;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.graph.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;

/**
 * Elements in direct memory, native byte order, row by row. A view: it owns nothing and needs no
 * closing; the memory lives as long as its buffer is reachable.
 *
 * <p>Thread-safe as long as nobody writes.
 */
public final class Tensor {
  private final DType dtype;
  private final long[] shape;
  private final ByteBuffer data;

  private Tensor(DType dtype, long[] shape, ByteBuffer data) {
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  /**
   * A tensor over existing memory, not copied.
   *
   * @param dtype element type
   * @param shape lengths, at least 0
   * @param data a direct buffer whose remaining bytes are exactly the elements
   * @return the tensor
   * @throws InvalidRequestException if the buffer is not direct or has another size
   */
  public static Tensor of(DType dtype, long[] shape, ByteBuffer data) {
    Check.notNull(dtype, "dtype");
    Check.notNull(data, "data");
    long bytes = bytes(dtype, shape);
    if (!data.isDirect() || data.remaining() != bytes) {
      throw new InvalidRequestException(
          "tensor "
              + dtype
              + Arrays.toString(shape)
              + ": "
              + (data.isDirect() ? "direct" : "heap")
              + " buffer of "
              + data.remaining()
              + " bytes; expected a direct buffer of "
              + bytes);
    }
    return new Tensor(dtype, shape.clone(), data.slice().order(ByteOrder.nativeOrder()));
  }

  /**
   * A new tensor of zeros.
   *
   * @param dtype element type
   * @param shape lengths, at least 0
   * @return the tensor
   * @throws InvalidRequestException if it would take 2 GiB or more
   */
  public static Tensor zeros(DType dtype, long... shape) {
    long bytes = bytes(dtype, shape);
    if (bytes > Integer.MAX_VALUE) {
      throw new InvalidRequestException(
          "tensor "
              + dtype
              + Arrays.toString(shape)
              + " would take "
              + bytes
              + " bytes; a single tensor may take up to "
              + Integer.MAX_VALUE);
    }
    ByteBuffer data = ByteBuffer.allocateDirect((int) bytes).order(ByteOrder.nativeOrder());
    return new Tensor(dtype, shape.clone(), data);
  }

  /**
   * A new F32 tensor.
   *
   * @param data the elements, row by row
   * @param shape lengths
   * @return the tensor
   */
  public static Tensor of(float[] data, long... shape) {
    Tensor tensor = sized(DType.F32, data.length, shape);
    tensor.floats().put(data);
    return tensor;
  }

  /**
   * A new I64 tensor.
   *
   * @param data the elements, row by row
   * @param shape lengths
   * @return the tensor
   */
  public static Tensor of(long[] data, long... shape) {
    Tensor tensor = sized(DType.I64, data.length, shape);
    tensor.longs().put(data);
    return tensor;
  }

  /**
   * A new I32 tensor.
   *
   * @param data the elements, row by row
   * @param shape lengths
   * @return the tensor
   */
  public static Tensor of(int[] data, long... shape) {
    Tensor tensor = sized(DType.I32, data.length, shape);
    tensor.ints().put(data);
    return tensor;
  }

  /**
   * A new BOOL tensor.
   *
   * @param data the elements, row by row
   * @param shape lengths
   * @return the tensor
   */
  public static Tensor of(boolean[] data, long... shape) {
    Tensor tensor = sized(DType.BOOL, data.length, shape);
    for (int i = 0; i < data.length; i++) {
      tensor.data.put(i, (byte) (data[i] ? 1 : 0));
    }
    return tensor;
  }

  private static Tensor sized(DType dtype, long elements, long[] shape) {
    Tensor tensor = zeros(dtype, shape);
    if (tensor.elements() != elements) {
      throw new InvalidRequestException(
          elements + " elements do not fill a tensor of shape " + Arrays.toString(shape));
    }
    return tensor;
  }

  private static long bytes(DType dtype, long[] shape) {
    long bytes = dtype.bytes();
    try {
      for (long dim : shape) {
        if (dim < 0) {
          throw new InvalidRequestException(
              "tensor shape " + Arrays.toString(shape) + " has a negative length");
        }
        bytes = Math.multiplyExact(bytes, dim);
      }
    } catch (ArithmeticException e) {
      throw new InvalidRequestException(
          "tensor shape " + Arrays.toString(shape) + " is too large", e);
    }
    return bytes;
  }

  /**
   * Element type.
   *
   * @return the type of each element
   */
  public DType dtype() {
    return dtype;
  }

  /**
   * Lengths of all axes.
   *
   * @return a copy
   */
  public long[] shape() {
    return shape.clone();
  }

  /**
   * Length of one axis.
   *
   * @param axis negative counts from the end
   * @return its length
   */
  public long dim(int axis) {
    return shape[axis < 0 ? axis + shape.length : axis];
  }

  /**
   * Number of elements.
   *
   * @return the product of all lengths
   */
  public long elements() {
    return data.capacity() / dtype.bytes();
  }

  /**
   * The memory.
   *
   * @return a fresh view of all bytes, position 0, native order
   */
  public ByteBuffer data() {
    return data.duplicate().order(ByteOrder.nativeOrder());
  }

  /**
   * The elements of an F32 tensor.
   *
   * @return a fresh view
   * @throws InvalidRequestException if the type is another
   */
  public FloatBuffer floats() {
    require(DType.F32);
    return data().asFloatBuffer();
  }

  /**
   * The elements of an I64 tensor.
   *
   * @return a fresh view
   * @throws InvalidRequestException if the type is another
   */
  public LongBuffer longs() {
    require(DType.I64);
    return data().asLongBuffer();
  }

  /**
   * The elements of an I32 tensor.
   *
   * @return a fresh view
   * @throws InvalidRequestException if the type is another
   */
  public IntBuffer ints() {
    require(DType.I32);
    return data().asIntBuffer();
  }

  /**
   * A copy of the elements of an F32 tensor.
   *
   * @return the elements, row by row
   */
  public float[] toFloats() {
    float[] copy = new float[Math.toIntExact(elements())];
    floats().get(copy);
    return copy;
  }

  private void require(DType wanted) {
    if (dtype != wanted) {
      throw new InvalidRequestException("tensor is " + dtype + ", asked for as " + wanted);
    }
  }

  @Override
  public String toString() {
    return dtype + Arrays.toString(shape);
  }
}
