package dev.lmm.core.vision;

import dev.lmm.Check;
import java.util.Arrays;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Pillow's resizing of 8-bit pictures, bit for bit: a horizontal pass rounded to 8 bits, then a
 * vertical one; weights in fixed point with 22 fractional bits; shrinking widens the filter. Only
 * the pixels of a crop are computed, which gives what cropping the whole result would.
 *
 * <p>Source: the behaviour of Pillow 13's {@code Image.resize}, checked by goldens. Thread-safe.
 */
public final class Resize {
  private static final int BITS = 22;
  // Below this many multiplications, starting threads costs more than it saves.
  private static final long PARALLEL_FROM = 4_000_000;

  private Resize() {}

  /**
   * Resizes and crops.
   *
   * @param rgb {@code width * height * 3} bytes
   * @param width of the picture
   * @param height of the picture
   * @param newWidth of the whole result, at least 1
   * @param newHeight of the whole result, at least 1
   * @param filter how to interpolate
   * @param left first column of the crop
   * @param top first row of the crop
   * @param cropWidth columns of the crop, within the whole result
   * @param cropHeight rows of the crop, within the whole result
   * @return {@code cropWidth * cropHeight * 3} bytes
   */
  public static byte[] rgb(
      byte[] rgb,
      int width,
      int height,
      int newWidth,
      int newHeight,
      ResizeFilter filter,
      int left,
      int top,
      int cropWidth,
      int cropHeight) {
    Check.that(
        newWidth >= 1 && newHeight >= 1,
        "size: is " + newWidth + "x" + newHeight + "; expected at least 1x1");
    Check.that(
        left >= 0
            && top >= 0
            && cropWidth >= 0
            && cropHeight >= 0
            && left + cropWidth <= newWidth
            && top + cropHeight <= newHeight,
        "crop: does not lie within " + newWidth + "x" + newHeight);
    if (filter == ResizeFilter.NEAREST) {
      return nearest(rgb, width, height, newWidth, newHeight, left, top, cropWidth, cropHeight);
    }
    Weights vertical =
        newHeight == height
            ? Weights.identity(top, cropHeight)
            : Weights.of(height, newHeight, filter, top, cropHeight);
    int firstRow = vertical.first();
    int rows = vertical.end() - firstRow;
    byte[] columns;
    int offset;
    int stride;
    if (newWidth == width) {
      columns = rgb;
      offset = (firstRow * width + left) * 3;
      stride = width * 3;
    } else {
      Weights horizontal = Weights.of(width, newWidth, filter, left, cropWidth);
      columns = horizontally(rgb, width, firstRow, rows, horizontal);
      offset = 0;
      stride = cropWidth * 3;
    }
    return vertically(columns, offset, stride, cropWidth * 3, firstRow, vertical);
  }

  /** For each place of the result, which pixels it is made of and how much of each. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Weights(int[] from, int[] count, int[] fixed, int width) {
    static Weights identity(int start, int length) {
      int[] from = IntStream.range(start, start + length).toArray();
      int[] one = new int[length];
      int[] fixed = new int[length];
      Arrays.fill(one, 1);
      Arrays.fill(fixed, 1 << BITS);
      return new Weights(from, one, fixed, 1);
    }

    static Weights of(int in, int out, ResizeFilter filter, int start, int length) {
      double scale = (double) in / out;
      double filterScale = Math.max(scale, 1);
      double support = filter.support() * filterScale;
      int width = (int) Math.ceil(support) * 2 + 1;
      int[] from = new int[length];
      int[] count = new int[length];
      int[] fixed = new int[Math.multiplyExact(length, width)];
      double[] weights = new double[width];
      double inverse = 1 / filterScale;
      for (int i = 0; i < length; i++) {
        double center = (i + start + 0.5) * scale;
        int first = Math.max(0, (int) (center - support + 0.5));
        int end = Math.min(in, (int) (center + support + 0.5));
        double sum = 0;
        for (int x = first; x < end; x++) {
          double w = filter.at((x - center + 0.5) * inverse);
          weights[x - first] = w;
          sum += w;
        }
        for (int x = 0; x < end - first; x++) {
          double w = sum != 0 ? weights[x] / sum : weights[x];
          fixed[i * width + x] = (int) ((w < 0 ? -0.5 : 0.5) + w * (1 << BITS));
        }
        from[i] = first;
        count[i] = end - first;
      }
      return new Weights(from, count, fixed, width);
    }

    int first() {
      int first = Integer.MAX_VALUE;
      for (int f : from) {
        first = Math.min(first, f);
      }
      return from.length == 0 ? 0 : first;
    }

    int end() {
      int end = 0;
      for (int i = 0; i < from.length; i++) {
        end = Math.max(end, from[i] + count[i]);
      }
      return end;
    }
  }

  private static byte[] horizontally(
      byte[] rgb, int width, int firstRow, int rows, Weights weights) {
    int length = weights.from.length;
    byte[] result = new byte[Math.multiplyExact(Math.multiplyExact(rows, length), 3)];
    rows(
        rows,
        (long) result.length * weights.width,
        row -> {
          int line = (firstRow + row) * width * 3;
          int out = row * length * 3;
          for (int i = 0; i < length; i++) {
            int r = 1 << (BITS - 1);
            int g = r;
            int b = r;
            int p = line + weights.from[i] * 3;
            int w = i * weights.width;
            for (int end = w + weights.count[i]; w < end; w++) {
              int k = weights.fixed[w];
              r += (rgb[p] & 0xff) * k;
              g += (rgb[p + 1] & 0xff) * k;
              b += (rgb[p + 2] & 0xff) * k;
              p += 3;
            }
            result[out++] = clip(r);
            result[out++] = clip(g);
            result[out++] = clip(b);
          }
        });
    return result;
  }

  private static byte[] vertically(
      byte[] in, int offset, int stride, int line, int firstRow, Weights weights) {
    int rows = weights.from.length;
    byte[] result = new byte[Math.multiplyExact(rows, line)];
    rows(
        rows,
        (long) result.length * weights.width,
        row -> {
          // Row by row with a line of sums: the loop over columns runs on consecutive memory.
          int[] sums = new int[line];
          Arrays.fill(sums, 1 << (BITS - 1));
          int w = row * weights.width;
          for (int y = 0; y < weights.count[row]; y++) {
            int k = weights.fixed[w + y];
            int p = offset + (weights.from[row] - firstRow + y) * stride;
            for (int x = 0; x < line; x++) {
              sums[x] += (in[p + x] & 0xff) * k;
            }
          }
          int out = row * line;
          for (int x = 0; x < line; x++) {
            result[out + x] = clip(sums[x]);
          }
        });
    return result;
  }

  private static byte clip(int sum) {
    return (byte) Math.max(0, Math.min(255, sum >> BITS));
  }

  private static byte[] nearest(
      byte[] rgb,
      int width,
      int height,
      int newWidth,
      int newHeight,
      int left,
      int top,
      int cropWidth,
      int cropHeight) {
    double scaleX = (double) width / newWidth;
    double scaleY = (double) height / newHeight;
    byte[] result = new byte[cropWidth * cropHeight * 3];
    int out = 0;
    for (int y = 0; y < cropHeight; y++) {
      int line = ((int) ((top + y + 0.5) * scaleY)) * width;
      for (int x = 0; x < cropWidth; x++) {
        int p = (line + ((int) ((left + x + 0.5) * scaleX))) * 3;
        result[out++] = rgb[p];
        result[out++] = rgb[p + 1];
        result[out++] = rgb[p + 2];
      }
    }
    return result;
  }

  private static void rows(int rows, long work, IntConsumer body) {
    IntStream range = IntStream.range(0, rows);
    (work >= PARALLEL_FROM ? range.parallel() : range).forEach(body);
  }
}
