package dev.lmm.core.quantization;

import dev.lmm.core.engine.Halves;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.DType;
import dev.lmm.core.vision.Workers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;

/**
 * Turns a packed matrix around into rows, in the library's own form or in whole numbers, some rows
 * at a time on all processors. Codes and scales are taken over bit for bit, nothing is rounded.
 */
final class PackedReader {
  /** Rows that are turned around together: of AWQ's integers, a line of the processor's cache. */
  private static final int TILE = 128;

  /** Codes that a thread holds. */
  private static final int CHUNK = 1 << 22;

  private final PackedMatrix matrix;
  private final IntBuffer codes;
  private final IntBuffer zeros;
  private final float[] scales;
  // The columns, group by group; null if they lie so.
  private final int @Nullable [] order;

  PackedReader(WeightStore store, PackedMatrix matrix) {
    this.matrix = matrix;
    this.codes = bytes(store, matrix.codes()).asIntBuffer();
    this.zeros = bytes(store, matrix.zeros()).asIntBuffer();
    this.scales = scales(store, matrix.scales());
    this.order = matrix.groupOf() == null ? null : order(store, matrix, matrix.groupOf());
  }

  private static ByteBuffer bytes(WeightStore store, StoredTensor tensor) {
    if (tensor.length() > Integer.MAX_VALUE) {
      throw PackedMatrix.wrong(tensor, "has " + tensor.length() + " bytes", "less than 2^31");
    }
    return store.map(tensor.name(), 0, (int) tensor.length()).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static float[] scales(WeightStore store, StoredTensor tensor) {
    ByteBuffer bytes = bytes(store, tensor);
    float[] scales = new float[(int) (tensor.length() / tensor.dtype().bytes())];
    for (int i = 0; i < scales.length; i++) {
      scales[i] =
          switch (tensor.dtype()) {
            case F16 -> Halves.toFloat(bytes.getShort(2 * i));
            case BF16 -> Float.intBitsToFloat(bytes.getShort(2 * i) << 16);
            default -> bytes.getFloat(4 * i);
          };
      if (!Float.isFinite(scales[i])) {
        throw PackedMatrix.wrong(tensor, "holds " + scales[i], "finite numbers");
      }
    }
    return scales;
  }

  /** The columns sorted by group, those of a group as they come. */
  private static int[] order(WeightStore store, PackedMatrix matrix, StoredTensor groupOf) {
    ByteBuffer bytes = bytes(store, groupOf);
    int groups = matrix.groups();
    int[] next = new int[groups];
    for (int g = 0; g < groups; g++) {
      next[g] = g * matrix.group();
    }
    int[] order = new int[matrix.columns()];
    for (int c = 0; c < order.length; c++) {
      long group = groupOf.dtype() == DType.I64 ? bytes.getLong(8 * c) : bytes.getInt(4 * c);
      if (group < 0 || group >= groups) {
        throw PackedMatrix.wrong(
            groupOf, "holds " + group + " for input " + c, "0 to " + (groups - 1));
      }
      int end = Math.min(order.length, ((int) group + 1) * matrix.group());
      if (next[(int) group] == end) {
        throw PackedMatrix.wrong(
            groupOf,
            "has more than " + matrix.group() + " inputs in group " + group,
            "quantization_config.group_size in each but the last");
      }
      order[next[(int) group]++] = c;
    }
    return order;
  }

  /** A few rows, unpacked. */
  private interface Band {
    void take(int from, int count, byte[] codes);
  }

  private void bands(Band band) {
    int rows = matrix.rows();
    int columns = matrix.columns();
    // Multiples of eight rows, which AWQ packs together.
    int step = Math.max(8, Math.min(TILE, CHUNK / columns / 8 * 8));
    Workers.forBands(
        (rows + step - 1) / step,
        1,
        (from, to) -> {
          byte[] unpacked = new byte[Math.multiplyExact(Math.min(step, rows), columns)];
          for (int tile = from; tile < to; tile++) {
            int first = tile * step;
            int count = Math.min(step, rows - first);
            unpack(first, count, unpacked);
            band.take(first, count, unpacked);
          }
        });
  }

  private void unpack(int first, int count, byte[] out) {
    PackedLayout layout = matrix.layout();
    int rows = matrix.rows();
    int columns = matrix.columns();
    for (int c = 0; c < columns; c++) {
      int column = order == null ? c : order[c];
      if (layout.alongColumns()) {
        int at = column / 8 * rows + first;
        int shift = layout.shift(column % 8);
        for (int r = 0; r < count; r++) {
          out[r * columns + c] = (byte) (codes.get(at + r) >>> shift & 15);
        }
      } else {
        int at = column * (rows / 8) + first / 8;
        for (int r = 0; r < count; r++) {
          out[r * columns + c] = (byte) (codes.get(at + r / 8) >>> layout.shift(r % 8) & 15);
        }
      }
    }
  }

  private int zero(int row, int group) {
    PackedLayout layout = matrix.layout();
    int eight = zeros.get(group * (matrix.rows() / 8) + row / 8);
    return layout.zero(eight >>> layout.shift(row % 8) & 15);
  }

  private float scale(int row, int group) {
    return scales[group * matrix.rows() + row];
  }

  /** Writes codes, scales, zero points and, if there is one, the order of the columns. */
  void writeCodes(FileChannel out, CacheEntry.Places places) {
    int columns = matrix.columns();
    int block = matrix.block();
    int blocks = Math.toIntExact(matrix.blocks());
    int width = blocks * (block / 2);
    int zeroBytes = (blocks + 1) / 2;
    long codesAt = places.of(matrix.codesPiece());
    long scalesAt = places.of(matrix.scalesPiece());
    long zerosAt = places.of(matrix.zerosPiece());
    bands(
        (from, count, unpacked) -> {
          byte[] packed = new byte[Math.multiplyExact(count, width)];
          byte[] points = new byte[count * zeroBytes];
          ByteBuffer floats = floats(count * blocks);
          for (int r = 0; r < count; r++) {
            for (int c = 0; c < columns; c++) {
              packed[r * width + c / 2] |= (byte) (unpacked[r * columns + c] << (4 * (c % 2)));
            }
            for (int b = 0; b < blocks; b++) {
              int group = b * block / matrix.group();
              points[r * zeroBytes + b / 2] |= (byte) (zero(from + r, group) << (4 * (b % 2)));
              floats.putFloat(scale(from + r, group));
            }
          }
          write(out, codesAt + (long) from * width, ByteBuffer.wrap(packed));
          write(out, scalesAt + (long) from * blocks * Float.BYTES, floats.flip());
          write(out, zerosAt + (long) from * zeroBytes, ByteBuffer.wrap(points));
        });
    if (order != null) {
      ByteBuffer integers = floats(columns);
      integers.asIntBuffer().put(order);
      write(out, places.of(matrix.orderPiece()), integers);
    }
  }

  /** Writes scale * (code - zero point), exact in F32. */
  void writeWhole(FileChannel out, CacheEntry.Places places) {
    int columns = matrix.columns();
    long place = places.of(matrix.name());
    bands(
        (from, count, unpacked) -> {
          ByteBuffer row = floats(columns);
          for (int r = 0; r < count; r++) {
            for (int c = 0; c < columns; c++) {
              int group = c / matrix.group();
              int code = unpacked[r * columns + c] - zero(from + r, group);
              row.putFloat(4 * (order == null ? c : order[c]), scale(from + r, group) * code);
            }
            write(out, place + (from + r) * (long) columns * Float.BYTES, row.duplicate());
          }
        });
  }

  private static ByteBuffer floats(int count) {
    return ByteBuffer.allocate(Math.multiplyExact(count, 4)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void write(FileChannel out, long position, ByteBuffer bytes) {
    try {
      while (bytes.hasRemaining()) {
        position += out.write(bytes, position);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
