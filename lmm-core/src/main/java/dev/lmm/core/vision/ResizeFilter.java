package dev.lmm.core.vision;

import dev.lmm.Check;

/**
 * Filters of Pillow's resizing, with the codes that {@code resample} of preprocessor_config.json
 * has.
 */
public enum ResizeFilter {
  /** Code 0. */
  NEAREST(0, 0),
  /** Code 4. */
  BOX(4, 0.5),
  /** Code 2. */
  BILINEAR(2, 1),
  /** Code 5. */
  HAMMING(5, 1),
  /** Code 3, a = -0.5. */
  BICUBIC(3, 2),
  /** Code 1, three lobes. */
  LANCZOS(1, 3);

  private final int code;
  private final double support;

  ResizeFilter(int code, double support) {
    this.code = code;
    this.support = support;
  }

  /**
   * The filter of a code.
   *
   * @param code {@code resample} of preprocessor_config.json
   * @return the filter
   * @throws dev.lmm.InvalidRequestException if there is none
   */
  public static ResizeFilter ofCode(int code) {
    for (ResizeFilter filter : values()) {
      if (filter.code == code) {
        return filter;
      }
    }
    Check.that(false, "resample: is " + code + "; expected 0 to 5");
    return NEAREST;
  }

  /** Half its width, in pixels of the smaller picture. */
  double support() {
    return support;
  }

  /** Its height at a distance. */
  double at(double x) {
    return switch (this) {
      case NEAREST -> throw new IllegalStateException("nearest has no weights");
      case BOX -> x > -0.5 && x <= 0.5 ? 1 : 0;
      case BILINEAR -> Math.max(0, 1 - Math.abs(x));
      case HAMMING -> hamming(Math.abs(x));
      case BICUBIC -> bicubic(Math.abs(x));
      case LANCZOS -> x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
    };
  }

  private static double hamming(double x) {
    if (x == 0) {
      return 1;
    }
    if (x >= 1) {
      return 0;
    }
    double angle = x * Math.PI;
    // Pillow's two constants are of single precision.
    return Math.sin(angle) / angle * (0.54f + 0.46f * Math.cos(angle));
  }

  private static double bicubic(double x) {
    double a = -0.5;
    if (x < 1) {
      return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
  }

  private static double sinc(double x) {
    if (x == 0) {
      return 1;
    }
    double angle = x * Math.PI;
    return Math.sin(angle) / angle;
  }
}
