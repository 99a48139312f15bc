package dev.lmm.core.quantization;

import dev.lmm.CheckpointException;
import dev.lmm.core.engine.QuantizedTensor.Layout;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.vision.Workers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * Quantizes one matrix from a checkpoint into a file, on all processors, a few rows at a time. With
 * {@link Layout#COLUMNS} the codes of the one matrix are in memory, for they turn around; nothing
 * else is held beyond buffers of a few MB.
 */
final class Quantizer {
  /** Elements that a thread holds as floats. */
  private static final int CHUNK = 1 << 18;

  /** Rows whose codes are turned around together. */
  private static final int TILE = 64;

  private Quantizer() {}

  /**
   * Where the pieces of a matrix go in the file, in bytes from its start.
   *
   * @param codes the codes
   * @param scales the scales
   * @param zeros the zero points; unused if the recipe has none
   */
  record Target(long codes, long scales, long zeros) {}

  static void quantize(
      WeightStore store, WeightRef ref, Recipe recipe, FileChannel out, Target target) {
    int rows = Math.toIntExact(ref.view()[0]);
    int columns = Math.toIntExact(ref.view()[1]);
    if (recipe.layout() == Layout.COLUMNS) {
      columns(store, ref, rows, columns, out, target);
      return;
    }
    int block = recipe.block();
    int blocks = (columns + block - 1) / block;
    int width = blocks * block;
    int codeBytes = width * recipe.bits() / 8;
    int zeroBytes = recipe.zeroPoints() ? (blocks * recipe.bits() + 7) / 8 : 0;
    int step = Math.max(1, CHUNK / width);
    Workers.forBands(
        rows,
        step,
        (from, to) -> {
          RowReader reader = new RowReader(store, ref);
          Coder coder = new Coder(recipe);
          float[] x = new float[step * width];
          float[] row = new float[width];
          byte[] codes = new byte[step * codeBytes];
          float[] scales = new float[step * blocks];
          for (int r = from; r < to; r += step) {
            int count = Math.min(step, to - r);
            byte[] zeros = new byte[count * zeroBytes];
            reader.read(r, count, x, width);
            for (int i = 0; i < count; i++) {
              System.arraycopy(x, i * width, row, 0, columns);
              if (!coder.row(
                  row, blocks, codes, i * codeBytes, scales, i * blocks, zeros, i * zeroBytes)) {
                throw notFinite(store, ref, r + i);
              }
            }
            write(out, target.codes() + (long) r * codeBytes, codes, count * codeBytes);
            write(out, target.scales() + (long) r * blocks * Float.BYTES, scales, count * blocks);
            if (zeroBytes > 0) {
              write(out, target.zeros() + (long) r * zeroBytes, zeros, count * zeroBytes);
            }
          }
        });
  }

  private static void columns(
      WeightStore store, WeightRef ref, int rows, int columns, FileChannel out, Target target) {
    byte[] turned = new byte[Math.multiplyExact(rows, columns)];
    float[] scales = new float[rows];
    Workers.forBands(
        (rows + TILE - 1) / TILE,
        1,
        (from, to) -> {
          RowReader reader = new RowReader(store, ref);
          int step = Math.max(1, Math.min(TILE, CHUNK / columns));
          float[] x = new float[step * columns];
          float[] row = new float[columns];
          byte[] codes = new byte[TILE * columns];
          for (int tile = from; tile < to; tile++) {
            int first = tile * TILE;
            int last = Math.min(rows, first + TILE);
            for (int r = first; r < last; r += step) {
              int count = Math.min(step, last - r);
              reader.read(r, count, x, columns);
              for (int i = 0; i < count; i++) {
                System.arraycopy(x, i * columns, row, 0, columns);
                float scale = Coder.signedRow(row, columns, codes, (r + i - first) * columns);
                if (Float.isNaN(scale)) {
                  throw notFinite(store, ref, r + i);
                }
                scales[r + i] = scale;
              }
            }
            for (int c = 0; c < columns; c++) {
              for (int r = first; r < last; r++) {
                turned[c * rows + r] = codes[(r - first) * columns + c];
              }
            }
          }
        });
    write(out, target.codes(), turned, turned.length);
    write(out, target.scales(), scales, rows);
  }

  private static CheckpointException notFinite(WeightStore store, WeightRef ref, int row) {
    return new CheckpointException(
        store.description()
            + ": "
            + ref.name()
            + " holds NaN or an infinity in row "
            + (ref.rowStart() + row)
            + "; expected finite numbers to quantize. Is the file damaged?");
  }

  private static void write(FileChannel out, long position, byte[] bytes, int count) {
    // In slices: the system call copies what lies on the heap into a buffer of equal size.
    for (int done = 0; done < count; done += CHUNK) {
      ByteBuffer slice = ByteBuffer.wrap(bytes, done, Math.min(CHUNK, count - done));
      write(out, position + done, slice);
    }
  }

  private static void write(FileChannel out, long position, float[] floats, int count) {
    ByteBuffer bytes = ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(floats, 0, count);
    write(out, position, bytes);
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
