package dev.lmm.core.engine.reference;

import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.QuantizedTensor.Layout;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/** A matrix in few bits, read, and the product with it as engines compute it. */
final class QuantizedMatrix {
  private final Layout layout;
  private final int rows;
  private final int columns;
  private final int block;
  private final int blocks;
  // Code less zero point, [rows, columns].
  private final short[] codes;
  // [rows, blocks]
  private final float[] scales;
  // [columns], or null if the numbers come in the order of the codes.
  private final int @Nullable [] order;

  private QuantizedMatrix(
      QuantizedTensor tensor, short[] codes, float[] scales, int @Nullable [] order) {
    this.layout = tensor.layout();
    this.rows = Math.toIntExact(tensor.rows());
    this.columns = Math.toIntExact(tensor.columns());
    this.block = tensor.block();
    this.blocks = Math.toIntExact(tensor.blocks());
    this.codes = codes;
    this.scales = scales;
    this.order = order;
  }

  static QuantizedMatrix read(QuantizedTensor tensor, WeightStore store) {
    int rows = Math.toIntExact(tensor.rows());
    int columns = Math.toIntExact(tensor.columns());
    int blocks = Math.toIntExact(tensor.blocks());
    short[] codes = new short[Math.multiplyExact(rows, columns)];
    ByteBuffer packed = bytes(store, tensor.codes());
    StoredTensor stored = tensor.zeros();
    ByteBuffer zeros = stored == null ? null : bytes(store, stored);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        codes[r * columns + c] = (short) element(tensor, packed, zeros, r, c);
      }
    }
    float[] scales = new float[Math.multiplyExact(rows, blocks)];
    bytes(store, tensor.scales()).asFloatBuffer().get(scales);
    int[] order = null;
    if (tensor.order() != null) {
      order = new int[columns];
      bytes(store, tensor.order()).asIntBuffer().get(order);
    }
    return new QuantizedMatrix(tensor, codes, scales, order);
  }

  private static ByteBuffer bytes(WeightStore store, StoredTensor piece) {
    return store.map(piece, 0, Math.toIntExact(piece.length())).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int element(
      QuantizedTensor tensor, ByteBuffer packed, @Nullable ByteBuffer zeros, int r, int c) {
    if (tensor.layout() == Layout.COLUMNS) {
      return packed.get(c * Math.toIntExact(tensor.rows()) + r);
    }
    int blocks = (int) tensor.blocks();
    int width = blocks * tensor.block();
    int zero =
        zeros == null
            ? tensor.middle()
            : code(
                zeros, r * ((blocks * tensor.bits() + 7) / 8), c / tensor.block(), tensor.bits());
    return code(packed, r * (width * tensor.bits() / 8), c, tensor.bits()) - zero;
  }

  private static int code(ByteBuffer bytes, int from, int index, int bits) {
    if (bits == 8) {
      return bytes.get(from + index) & 0xff;
    }
    return bytes.get(from + index / 2) >> (index % 2 * 4) & 0xf;
  }

  int rows() {
    return rows;
  }

  /**
   * Products of rows of numbers with each row of the matrix, the numbers in 8 bits too: in blocks,
   * each block of a row with a scale and no zero point; in columns, all with one scale and one zero
   * point.
   *
   * @param x numbers, [count, columns]
   * @param count how many rows
   * @return [count, rows]
   */
  float[] times(float[] x, int count) {
    float[] ordered = order == null ? x : ordered(x, order);
    return layout == Layout.BLOCKS ? blockwise(ordered, count) : together(ordered, count);
  }

  private static float[] ordered(float[] x, int[] order) {
    float[] ordered = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      int column = i % order.length;
      ordered[i] = x[i - column + order[column]];
    }
    return ordered;
  }

  private float[] blockwise(float[] x, int count) {
    float[] y = new float[Math.multiplyExact(count, rows)];
    int[] quantized = new int[columns];
    float[] steps = new float[blocks];
    for (int i = 0; i < count; i++) {
      for (int b = 0; b < blocks; b++) {
        int from = b * block;
        int to = Math.min(columns, from + block);
        float max = 0;
        for (int c = from; c < to; c++) {
          max = Math.max(max, Math.abs(x[i * columns + c]));
        }
        steps[b] = max / 127;
        float inverse = max == 0 ? 0 : 127 / max;
        for (int c = from; c < to; c++) {
          quantized[c] = (int) Math.rint(x[i * columns + c] * inverse);
        }
      }
      for (int r = 0; r < rows; r++) {
        double sum = 0;
        for (int b = 0; b < blocks; b++) {
          long products = 0;
          for (int c = b * block; c < Math.min(columns, (b + 1) * block); c++) {
            products += (long) quantized[c] * codes[r * columns + c];
          }
          sum += (double) steps[b] * scales[r * blocks + b] * products;
        }
        y[i * rows + r] = (float) sum;
      }
    }
    return y;
  }

  private float[] together(float[] x, int count) {
    float min = 0;
    float max = 0;
    for (float value : x) {
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    float step = max == min ? 1 : (max - min) / 255;
    int zero = (int) Math.rint(Math.max(0, Math.min(255, -min / step)));
    int[] quantized = new int[x.length];
    for (int i = 0; i < x.length; i++) {
      quantized[i] = (int) Math.max(0, Math.min(255, Math.rint(x[i] / step) + zero)) - zero;
    }
    float[] y = new float[Math.multiplyExact(count, rows)];
    for (int i = 0; i < count; i++) {
      for (int r = 0; r < rows; r++) {
        long products = 0;
        for (int c = 0; c < columns; c++) {
          products += (long) quantized[i * columns + c] * codes[r * columns + c];
        }
        y[i * rows + r] = (float) ((double) step * scales[r] * products);
      }
    }
    return y;
  }
}
