package dev.lmm.core.vision.draw;

import dev.lmm.Check;
import java.awt.image.BufferedImage;

/** Lays values over a picture as colours. */
final class HeatMap {
  // From cold to hot; lightness rises evenly, so that it reads in grey too.
  private static final int[] STOPS = {0x0D0887, 0x7E03A8, 0xCC4778, 0xF89540, 0xF0F921};

  private HeatMap() {}

  static void over(BufferedImage picture, float[] values, int columns, int rows, double strength) {
    Check.notNull(values, "values");
    Check.that(
        columns >= 1 && rows >= 1 && (long) columns * rows == values.length,
        "heat map: " + values.length + " values do not make " + rows + " rows of " + columns);
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (float value : values) {
      Check.that(Float.isFinite(value), "heat map: a value is " + value + "; expected finite ones");
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (high <= low) {
      return;
    }
    int width = picture.getWidth();
    int[] row = new int[width];
    for (int y = 0; y < picture.getHeight(); y++) {
      picture.getRaster().getDataElements(0, y, width, 1, row);
      double v = centre(y, picture.getHeight(), rows);
      int above = (int) v;
      int below = Math.min(above + 1, rows - 1);
      double downward = v - above;
      for (int x = 0; x < width; x++) {
        double u = centre(x, width, columns);
        int left = (int) u;
        int right = Math.min(left + 1, columns - 1);
        double upper =
            mix(values[above * columns + left], values[above * columns + right], u - left);
        double lower =
            mix(values[below * columns + left], values[below * columns + right], u - left);
        double heat = (mix(upper, lower, downward) - low) / (high - low);
        row[x] = blended(row[x], colour(heat), strength * heat);
      }
      picture.getRaster().setDataElements(0, y, width, 1, row);
    }
  }

  /** Where a pixel's centre lies among the centres of cells. */
  private static double centre(int pixel, int pixels, int cells) {
    return Math.max(0, Math.min((pixel + 0.5) * cells / pixels - 0.5, cells - 1));
  }

  private static double mix(double a, double b, double part) {
    return a + (b - a) * part;
  }

  private static int colour(double heat) {
    double place = Math.max(0, Math.min(heat, 1)) * (STOPS.length - 1);
    int stop = Math.min((int) place, STOPS.length - 2);
    return blended(STOPS[stop], STOPS[stop + 1], place - stop);
  }

  private static int blended(int under, int over, double part) {
    int result = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
      double value = mix(under >> shift & 0xFF, over >> shift & 0xFF, part);
      result |= (int) (value + 0.5) << shift;
    }
    return result;
  }
}
