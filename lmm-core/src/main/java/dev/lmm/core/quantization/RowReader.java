package dev.lmm.core.quantization;

import dev.lmm.CheckpointException;
import dev.lmm.core.engine.Halves;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.WeightRef;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Reads rows of a matrix from a checkpoint as floats. For one thread. */
final class RowReader {
  private final WeightStore store;
  private final WeightRef ref;
  private final StoredTensor stored;
  private final int columns;
  private short[] shorts = new short[0];

  RowReader(WeightStore store, WeightRef ref) {
    this.store = store;
    this.ref = ref;
    this.stored = store.locate(ref.name());
    this.columns = Math.toIntExact(ref.view()[1]);
    if (!Arrays.equals(stored.shape(), ref.stored())) {
      throw new CheckpointException(
          store.description()
              + ": "
              + ref.name()
              + " is "
              + Arrays.toString(stored.shape())
              + ", the graph expects "
              + Arrays.toString(ref.stored()));
    }
    DType type = stored.dtype();
    if (type != DType.F32 && type != DType.F16 && type != DType.BF16 && type != DType.F64) {
      throw new CheckpointException(
          stored.file()
              + ": "
              + ref.name()
              + " is "
              + type
              + "; expected F32, F16, BF16 or F64 to be quantized");
    }
  }

  /**
   * Reads whole rows of the matrix as the layer sees it.
   *
   * @param from the first row
   * @param count how many; {@code count * width} below 2^28
   * @param rows takes them, row i at {@code i * width}
   * @param width floats from one row to the next, at least the number of columns
   */
  void read(long from, int count, float[] rows, int width) {
    if (ref.transpose()) {
      // Row r of the matrix is column r of what is stored.
      for (int c = 0; c < columns; c++) {
        long start = (ref.rowStart() + c) * ref.rowElements() + from;
        ByteBuffer bytes = map(start, count);
        for (int r = 0; r < count; r++) {
          rows[r * width + c] = element(bytes, r);
        }
      }
      return;
    }
    long start = ref.rowStart() * ref.rowElements() + from * columns;
    ByteBuffer bytes = map(start, Math.multiplyExact(count, columns));
    for (int r = 0; r < count; r++) {
      row(bytes, r * columns, rows, r * width);
    }
  }

  private ByteBuffer map(long start, int count) {
    int size = stored.dtype().bytes();
    return store
        .map(ref.name(), start * size, Math.multiplyExact(count, size))
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  private void row(ByteBuffer bytes, int from, float[] out, int at) {
    switch (stored.dtype()) {
      case F32 -> bytes.asFloatBuffer().get(from, out, at, columns);
      case BF16 -> {
        short[] raw = shorts(bytes, from);
        for (int i = 0; i < columns; i++) {
          out[at + i] = Float.intBitsToFloat(raw[i] << 16);
        }
      }
      case F16 -> {
        short[] raw = shorts(bytes, from);
        for (int i = 0; i < columns; i++) {
          out[at + i] = Halves.toFloat(raw[i]);
        }
      }
      default -> {
        for (int i = 0; i < columns; i++) {
          out[at + i] = element(bytes, from + i);
        }
      }
    }
  }

  private short[] shorts(ByteBuffer bytes, int from) {
    if (shorts.length < columns) {
      shorts = new short[columns];
    }
    bytes.asShortBuffer().get(from, shorts, 0, columns);
    return shorts;
  }

  private float element(ByteBuffer bytes, int index) {
    return switch (stored.dtype()) {
      case F32 -> bytes.getFloat(index * 4);
      case BF16 -> Float.intBitsToFloat(bytes.getShort(index * 2) << 16);
      case F16 -> Halves.toFloat(bytes.getShort(index * 2));
      case F64 -> (float) bytes.getDouble(index * 8);
      default -> throw new IllegalStateException(stored.toString());
    };
  }
}
