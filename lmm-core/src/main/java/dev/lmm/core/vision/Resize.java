package dev.lmm.core.vision;

import dev.lmm.Check;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import java.util.Arrays;

/**
 * Pillow 13's resizing, bit for bit: antialiased, separable, in 8-bit fixed point.
 *
 * <p>Two passes, each rounded to 8 bits: horizontal first, except where the height loses more than
 * twice as many pixels as the width; an axis that keeps its length is not filtered. Weights are
 * normalised in double and rounded to 22 fractional bits. Target pixels outside a wanted region are
 * never computed: the result equals resizing the whole picture and cutting the region out.
 *
 * <p>Source: the behaviour of Pillow 13's {@code Image.resize}, checked by goldens. Stateless and
 * thread-safe. Large pictures are worked on by {@link Workers}, in bands of rows.
 */
public final class Resize {
  private static final int PRECISION = 32 - 8 - 2;
  private static final int HALF = 1 << (PRECISION - 1);

  /** Rows worked on together: enough for long inner loops, few enough for the nearest cache. */
  private static final int BAND = 64;

  /** Source samples below which a band is not worth handing to another thread. */
  private static final int GRAIN = 1 << 16;

  private Resize() {}

  /**
   * Resizes a picture.
   *
   * @param image the picture
   * @param width new width in pixels, at least 1
   * @param height new height in pixels, at least 1
   * @param filter the filter
   * @return the resized picture; the same one if the size does not change
   */
  public static Image resize(Image image, int width, int height, ResizeFilter filter) {
    if (image.width() == width && image.height() == height) {
      return image;
    }
    byte[] out =
        rgb(image.rgb(), image.width(), image.height(), width, height, filter, 0, 0, width, height);
    return Image.ofRgb(width, height, out, image.source());
  }

  /**
   * Resizes RGB pixels and crops.
   *
   * @param rgb {@code width * height * 3} bytes
   * @param width of the picture
   * @param height of the picture
   * @param newWidth of the whole result, at least 1
   * @param newHeight of the whole result, at least 1
   * @param filter how to interpolate
   * @param left first column of the crop
   * @param top first row of the crop
   * @param cropWidth columns of the crop, at least 1, within the whole result
   * @param cropHeight rows of the crop, at least 1, within the whole result
   * @return {@code cropWidth * cropHeight * 3} new bytes
   * @throws InvalidRequestException if sizes, crop and array do not fit
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
    return region(
        rgb, width, height, 3, newWidth, newHeight, filter, left, top, cropWidth, cropHeight);
  }

  /**
   * Resizes one plane of bytes: a grey picture or a mask.
   *
   * @param plane {@code width * height} bytes, 0 to 255
   * @param width of the plane
   * @param height of the plane
   * @param newWidth of the result, at least 1
   * @param newHeight of the result, at least 1
   * @param filter how to interpolate
   * @return {@code newWidth * newHeight} new bytes
   * @throws InvalidRequestException if sizes and array do not fit
   */
  public static byte[] plane(
      byte[] plane, int width, int height, int newWidth, int newHeight, ResizeFilter filter) {
    return region(plane, width, height, 1, newWidth, newHeight, filter, 0, 0, newWidth, newHeight);
  }

  /**
   * Resizes one plane of floats, as Pillow resizes its mode {@code F}: sums in double, rounded to
   * float after each pass.
   *
   * @param plane {@code width * height} values
   * @param width source width
   * @param height source height
   * @param newWidth target width, at least 1
   * @param newHeight target height, at least 1
   * @param filter the filter
   * @return {@code newWidth * newHeight} new values
   * @throws InvalidRequestException if sizes and array do not fit
   */
  public static float[] plane(
      float[] plane, int width, int height, int newWidth, int newHeight, ResizeFilter filter) {
    Check.notNull(plane, "plane");
    Check.notNull(filter, "filter");
    check(plane.length, width, height, 1, newWidth, newHeight, 0, 0, newWidth, newHeight);
    if (filter == ResizeFilter.NEAREST) {
      int[] xs = nearestTable(width, newWidth, 0, newWidth);
      int[] ys = nearestTable(height, newHeight, 0, newHeight);
      float[] out = new float[length(newHeight, newWidth)];
      for (int y = 0; y < newHeight; y++) {
        for (int x = 0; x < newWidth; x++) {
          out[y * newWidth + x] = plane[ys[y] * width + xs[x]];
        }
      }
      return out;
    }
    Taps columns = Taps.of(width, newWidth, filter, 0, newWidth);
    Taps rows = Taps.of(height, newHeight, filter, 0, newHeight);
    if (horizontalFirst(width, height, newWidth, newHeight)) {
      return down(across(plane, width, height, columns), newWidth, rows);
    }
    return across(down(plane, width, rows), width, newHeight, columns);
  }

  private static float[] across(float[] plane, int width, int height, Taps columns) {
    if (!columns.filtered()) {
      return plane;
    }
    int newWidth = columns.start.length;
    float[] out = new float[length(height, newWidth)];
    Workers.forBands(
        height,
        grain(columns.work()),
        (from, to) -> {
          for (int y = from; y < to; y++) {
            for (int x = 0; x < newWidth; x++) {
              double sum = 0;
              int source = y * width + columns.start[x];
              int tap = x * columns.window;
              for (int i = 0; i < columns.count[x]; i++) {
                sum += plane[source + i] * columns.exact[tap + i];
              }
              out[y * newWidth + x] = (float) sum;
            }
          }
        });
    return out;
  }

  private static float[] down(float[] plane, int width, Taps rows) {
    if (!rows.filtered()) {
      return plane;
    }
    int newHeight = rows.start.length;
    float[] out = new float[length(newHeight, width)];
    Workers.forBands(
        newHeight,
        grain((long) width * rows.window),
        (from, to) -> {
          double[] sums = new double[width];
          for (int y = from; y < to; y++) {
            Arrays.fill(sums, 0);
            for (int i = 0; i < rows.count[y]; i++) {
              double k = rows.exact[y * rows.window + i];
              int at = (rows.start[y] + i) * width;
              for (int x = 0; x < width; x++) {
                sums[x] += plane[at + x] * k;
              }
            }
            for (int x = 0; x < width; x++) {
              out[y * width + x] = (float) sums[x];
            }
          }
        });
    return out;
  }

  private static byte[] region(
      byte[] pixels,
      int width,
      int height,
      int channels,
      int newWidth,
      int newHeight,
      ResizeFilter filter,
      int left,
      int top,
      int cropWidth,
      int cropHeight) {
    Check.notNull(pixels, "pixels");
    Check.notNull(filter, "filter");
    check(
        pixels.length,
        width,
        height,
        channels,
        newWidth,
        newHeight,
        left,
        top,
        cropWidth,
        cropHeight);
    if (filter == ResizeFilter.NEAREST) {
      return nearest(
          pixels,
          width,
          channels,
          nearestTable(width, newWidth, left, cropWidth),
          nearestTable(height, newHeight, top, cropHeight));
    }
    Taps columns = Taps.of(width, newWidth, filter, left, cropWidth);
    Taps rows = Taps.of(height, newHeight, filter, top, cropHeight);
    Strip strip = new Strip(pixels, channels, width, 0, 0);
    if (horizontalFirst(width, height, newWidth, newHeight)) {
      strip = across(strip, rows.first(), rows.end() - rows.first(), columns);
      strip = down(strip, left, cropWidth, rows);
    } else {
      strip = down(strip, columns.first(), columns.end() - columns.first(), rows);
      strip = across(strip, top, cropHeight, columns);
    }
    if (strip.pixels != pixels && strip.width == cropWidth && strip.top == top) {
      return strip.pixels;
    }
    return strip.copy(left, top, cropWidth, cropHeight);
  }

  /** Pillow's rule since version 13: the cheaper order, and visibly another result. */
  private static boolean horizontalFirst(int width, int height, int newWidth, int newHeight) {
    long lost = (long) height - newHeight;
    return lost <= 0 || lost <= 2 * ((long) width - newWidth);
  }

  /**
   * Rows and columns of a picture under way.
   *
   * @param pixels interleaved
   * @param channels 1 or 3
   * @param width columns held
   * @param left the picture's column that is the first here
   * @param top the picture's row that is the first here
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Strip(byte[] pixels, int channels, int width, int left, int top) {
    int index(int x, int y) {
      return ((y - top) * width + x - left) * channels;
    }

    byte[] copy(int x, int y, int columns, int rows) {
      int line = columns * channels;
      byte[] out = new byte[length(rows, line)];
      for (int row = 0; row < rows; row++) {
        System.arraycopy(pixels, index(x, y + row), out, row * line, line);
      }
      return out;
    }
  }

  private static Strip across(Strip in, int firstRow, int rowCount, Taps columns) {
    if (!columns.filtered()) {
      return in;
    }
    int line = columns.start.length * in.channels;
    byte[] out = new byte[length(rowCount, line)];
    Workers.forBands(
        (rowCount + BAND - 1) / BAND,
        grain(BAND * columns.work() * in.channels),
        (from, to) -> {
          for (int band = from; band < to; band++) {
            int row = band * BAND;
            int rows = Math.min(BAND, rowCount - row);
            across(in, firstRow + row, rows, columns, out, row * line);
          }
        });
    return new Strip(out, in.channels, columns.start.length, columns.target, firstRow);
  }

  /** One column of sums at once, so that the inner loops run over consecutive integers. */
  private static void across(Strip in, int row, int rows, Taps columns, byte[] out, int at) {
    int channels = in.channels;
    int line = columns.start.length * channels;
    int[][] ring = new int[columns.window][rows * channels];
    int[] sums = new int[rows * channels];
    int next = columns.first();
    for (int x = 0; x < columns.start.length; x++) {
      int start = columns.start[x];
      for (; next < start + columns.count[x]; next++) {
        int first = in.index(next, row);
        gather(in.pixels, first, in.width * channels, channels, ring[next % columns.window]);
      }
      sum(ring, columns, x, sums);
      scatter(sums, channels, out, at + x * channels, line);
    }
  }

  /** One row of sums at once. */
  private static Strip down(Strip in, int left, int columns, Taps rows) {
    if (!rows.filtered()) {
      return in;
    }
    int line = columns * in.channels;
    byte[] out = new byte[length(rows.start.length, line)];
    Workers.forBands(
        rows.start.length,
        Math.max(BAND, grain((long) line * rows.window)),
        (from, to) -> {
          int[][] ring = new int[rows.window][line];
          int[] sums = new int[line];
          int next = rows.start[from];
          for (int y = from; y < to; y++) {
            int start = rows.start[y];
            for (; next < start + rows.count[y]; next++) {
              gather(in.pixels, in.index(left, next), ring[next % rows.window]);
            }
            sum(ring, rows, y, sums);
            scatter(sums, out, y * line);
          }
        });
    return new Strip(out, in.channels, columns, left, rows.target);
  }

  /**
   * The 8-bit result of one target position.
   *
   * @param ring what each source position holds, at its number modulo the window
   * @param taps of the axis
   * @param target which position
   * @param sums the result
   */
  private static void sum(int[][] ring, Taps taps, int target, int[] sums) {
    Arrays.fill(sums, HALF);
    int tap = target * taps.window;
    int start = taps.start[target];
    for (int i = 0; i < taps.count[target]; i++) {
      add(ring[(start + i) % taps.window], taps.fixed[tap + i], sums);
    }
    for (int i = 0; i < sums.length; i++) {
      sums[i] = Math.max(0, Math.min(sums[i] >> PRECISION, 255));
    }
  }

  // Becomes vector instructions only so: arrays of integers, each read from its beginning. With an
  // offset, or with bytes to widen, HotSpot leaves it scalar, five times as slow.
  private static void add(int[] source, int weight, int[] sums) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] += source[i] * weight;
    }
  }

  /** A row of samples to integers. */
  private static void gather(byte[] pixels, int at, int[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = pixels[at + i] & 0xFF;
    }
  }

  /** A column of pixels to integers. */
  private static void gather(byte[] pixels, int at, int stride, int channels, int[] out) {
    if (channels == 1) {
      for (int i = 0; i < out.length; i++) {
        out[i] = pixels[at] & 0xFF;
        at += stride;
      }
    } else {
      for (int i = 0; i < out.length; i += 3) {
        out[i] = pixels[at] & 0xFF;
        out[i + 1] = pixels[at + 1] & 0xFF;
        out[i + 2] = pixels[at + 2] & 0xFF;
        at += stride;
      }
    }
  }

  /** Integers, each a sample, to a row. */
  private static void scatter(int[] samples, byte[] pixels, int at) {
    for (int i = 0; i < samples.length; i++) {
      pixels[at + i] = (byte) samples[i];
    }
  }

  /** Integers, each a sample, to a column of pixels. */
  private static void scatter(int[] samples, int channels, byte[] pixels, int at, int stride) {
    if (channels == 1) {
      for (int sample : samples) {
        pixels[at] = (byte) sample;
        at += stride;
      }
    } else {
      for (int i = 0; i < samples.length; i += 3) {
        pixels[at] = (byte) samples[i];
        pixels[at + 1] = (byte) samples[i + 1];
        pixels[at + 2] = (byte) samples[i + 2];
        at += stride;
      }
    }
  }

  private static byte[] nearest(byte[] pixels, int width, int channels, int[] xs, int[] ys) {
    byte[] out = new byte[length(ys.length, (long) xs.length * channels)];
    int o = 0;
    for (int y : ys) {
      for (int x : xs) {
        int i = (y * width + x) * channels;
        for (int c = 0; c < channels; c++) {
          out[o++] = pixels[i + c];
        }
      }
    }
    return out;
  }

  /** Pillow adds the step up pixel by pixel; multiplying would round differently. */
  private static int[] nearestTable(int size, int newSize, int first, int count) {
    double step = (double) size / newSize;
    double at = step * 0.5;
    int[] table = new int[count];
    for (int i = 0; i < first + count; i++) {
      if (i >= first) {
        table[i - first] = Math.min((int) at, size - 1);
      }
      at += step;
    }
    return table;
  }

  private static void check(
      int length,
      int width,
      int height,
      int channels,
      int newWidth,
      int newHeight,
      int left,
      int top,
      int cropWidth,
      int cropHeight) {
    if (width < 1 || height < 1 || (long) width * height * channels != length) {
      throw new InvalidRequestException(
          "pixels: are "
              + length
              + " values; expected "
              + width
              + "x"
              + height
              + " with "
              + channels
              + " channels");
    }
    if (newWidth < 1 || newHeight < 1) {
      throw new InvalidRequestException(
          "size: is " + newWidth + "x" + newHeight + "; expected at least 1x1");
    }
    if (left < 0
        || top < 0
        || cropWidth < 1
        || cropHeight < 1
        || (long) left + cropWidth > newWidth
        || (long) top + cropHeight > newHeight) {
      throw new InvalidRequestException(
          "crop: is "
              + cropWidth
              + "x"
              + cropHeight
              + " at "
              + left
              + ","
              + top
              + "; expected at least 1x1 within "
              + newWidth
              + "x"
              + newHeight);
    }
  }

  private static int length(int rows, long line) {
    long length = rows * line;
    if (length > Integer.MAX_VALUE - 8) {
      throw new InvalidRequestException(
          "size: the result would have " + length + " samples; expected fewer than 2^31");
    }
    return (int) length;
  }

  private static int grain(long workPerItem) {
    return (int) Math.max(1, GRAIN / Math.max(1, workPerItem));
  }

  /** For each wanted target position: the window of source positions and its weights. */
  private static final class Taps {
    final int window;
    final int[] start;
    final int[] count;
    final int[] fixed;
    final double[] exact;

    /** The first target position. */
    final int target;

    private final int first;
    private final int end;

    private Taps(int target, int window, int[] start, int[] count, int[] fixed, double[] exact) {
      this.target = target;
      this.window = window;
      this.start = start;
      this.count = count;
      this.fixed = fixed;
      this.exact = exact;
      int low = Integer.MAX_VALUE;
      int high = 0;
      for (int i = 0; i < start.length; i++) {
        low = Math.min(low, start[i]);
        high = Math.max(high, start[i] + count[i]);
      }
      this.first = low;
      this.end = high;
    }

    /** An axis that keeps its length. */
    private static Taps identity(int from, int count) {
      int[] start = new int[count];
      int[] ones = new int[count];
      for (int i = 0; i < count; i++) {
        start[i] = from + i;
        ones[i] = 1;
      }
      return new Taps(from, 0, start, ones, new int[0], new double[0]);
    }

    static Taps of(int size, int newSize, ResizeFilter filter, int from, int wanted) {
      if (size == newSize) {
        return identity(from, wanted);
      }
      double scale = (double) size / newSize;
      double stretch = Math.max(scale, 1.0);
      double support = filter.support() * stretch;
      double inverse = 1.0 / stretch;
      int window = Math.min((int) Math.ceil(support) * 2 + 1, size);
      int[] start = new int[wanted];
      int[] count = new int[wanted];
      if ((long) wanted * window > Integer.MAX_VALUE - 8) {
        throw new InvalidRequestException(
            "size: " + size + " to " + newSize + " pixels needs too many coefficients");
      }
      double[] exact = new double[wanted * window];
      for (int i = 0; i < wanted; i++) {
        double center = (from + i + 0.5) * scale;
        int low = Math.max((int) (center - support + 0.5), 0);
        int high = Math.min((int) (center + support + 0.5), size);
        int n = high - low;
        double sum = 0;
        int at = i * window;
        for (int x = 0; x < n; x++) {
          double w = filter.at((x + low - center + 0.5) * inverse);
          exact[at + x] = w;
          sum += w;
        }
        if (sum != 0.0) {
          for (int x = 0; x < n; x++) {
            exact[at + x] /= sum;
          }
        }
        start[i] = low;
        count[i] = n;
      }
      int[] fixed = new int[exact.length];
      for (int i = 0; i < fixed.length; i++) {
        double scaled = exact[i] * (1 << PRECISION);
        fixed[i] = (int) (scaled < 0 ? scaled - 0.5 : scaled + 0.5);
      }
      return new Taps(from, window, start, count, fixed, exact);
    }

    /** The first source position any window needs. */
    int first() {
      return first;
    }

    /** One past the last source position any window needs. */
    int end() {
      return end;
    }

    boolean filtered() {
      return window > 0;
    }

    /** Multiplications for one row and channel. */
    long work() {
      return (long) window * start.length;
    }
  }
}
