package dev.lmm.core.engine;

import dev.lmm.CheckpointException;
import dev.lmm.core.graph.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Reads stored tensors of any type as single precision numbers. */
public final class StoredFloats {
  /** Elements mapped at once, so that tensors of any size can be read. */
  private static final int CHUNK = 1 << 22;

  private StoredFloats() {}

  /**
   * Reads a whole tensor.
   *
   * @param store where it lies
   * @param name its name
   * @return its elements, row by row
   * @throws CheckpointException if it is missing, of a type without numbers, or has 2^31 elements
   */
  public static float[] read(WeightStore store, String name) {
    StoredTensor stored = store.locate(name);
    int size = stored.dtype().bytes();
    long elements = stored.length() / size;
    if (elements > Integer.MAX_VALUE - 8) {
      throw new CheckpointException(
          stored.file()
              + ": "
              + name
              + " is "
              + Arrays.toString(stored.shape())
              + "; expected fewer than 2^31 elements");
    }
    float[] data = new float[(int) elements];
    for (int done = 0; done < data.length; done += CHUNK) {
      int count = Math.min(CHUNK, data.length - done);
      ByteBuffer bytes = store.map(name, (long) done * size, count * size);
      convert(stored, bytes.order(ByteOrder.LITTLE_ENDIAN), data, done, count);
    }
    return data;
  }

  /**
   * Converts elements.
   *
   * @param stored what they belong to
   * @param bytes the elements as they lie, little-endian
   * @param data takes them
   * @param at index of the first
   * @param count how many
   * @throws CheckpointException if their type stands for no numbers
   */
  public static void convert(
      StoredTensor stored, ByteBuffer bytes, float[] data, int at, int count) {
    DType type = stored.dtype();
    if (type == DType.F32) {
      bytes.asFloatBuffer().get(data, at, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      int b = i * type.bytes();
      data[at + i] =
          switch (type) {
            case F64 -> (float) bytes.getDouble(b);
            case F16 -> Halves.toFloat(bytes.getShort(b));
            case BF16 -> Float.intBitsToFloat(bytes.getShort(b) << 16);
            case I64 -> bytes.getLong(b);
            case I32 -> bytes.getInt(b);
            case U32 -> bytes.getInt(b) & 0xffffffffL;
            case I16 -> bytes.getShort(b);
            case U16 -> bytes.getShort(b) & 0xffff;
            case I8 -> bytes.get(b);
            case U8 -> bytes.get(b) & 0xff;
            case BOOL -> bytes.get(b) == 0 ? 0 : 1;
            default ->
                throw new CheckpointException(
                    stored.file()
                        + ": "
                        + stored.name()
                        + " is "
                        + type
                        + "; expected F32, F16, BF16, F64 or an integer type");
          };
    }
  }
}
