package dev.lmm.core.quantization;

/**
 * Brings blocks of numbers into codes. The loops are plain and over primitive arrays, so that the
 * compiler turns what it can into vector instructions.
 */
final class Coder {
  private static final int SIGN = 0x80000000;
  private static final int INFINITY = 0x7f800000;

  /** What the scale that just holds the largest weight is multiplied by, in the search. */
  private static final float[] SHRINKS = {0.95f, 0.9f, 0.85f, 0.8f, 0.75f};

  private final int bits;
  private final int block;
  private final boolean zeroPoints;
  private final boolean search;
  private final int middle;
  private final int largest;

  Coder(Recipe recipe) {
    this.bits = recipe.bits();
    this.block = recipe.block();
    this.zeroPoints = recipe.zeroPoints();
    this.search = recipe.search();
    this.middle = 1 << (bits - 1);
    this.largest = (1 << bits) - 1;
  }

  /**
   * One row, in blocks.
   *
   * @param x the row, filled up with zeros to whole blocks
   * @param blocks how many
   * @param codes takes {@code blocks * block * bits / 8} bytes
   * @param codesAt where
   * @param scales takes one a block
   * @param scalesAt where
   * @param zeros takes {@code (blocks * bits + 7) / 8} bytes that are 0 so far; unused without zero
   *     points
   * @param zerosAt where
   * @return false if the row holds NaN or an infinity
   */
  boolean row(
      float[] x,
      int blocks,
      byte[] codes,
      int codesAt,
      float[] scales,
      int scalesAt,
      byte[] zeros,
      int zerosAt) {
    for (int b = 0; b < blocks; b++) {
      int from = b * block;
      // Floats of one sign compare as their bits do: the largest, and the largest of the negated.
      int high = 0;
      int low = 0;
      for (int i = from; i < from + block; i++) {
        int pattern = Float.floatToRawIntBits(x[i]);
        high = Math.max(high, pattern);
        low = Math.max(low, pattern ^ SIGN);
      }
      if (high >= INFINITY || low >= INFINITY) {
        return false;
      }
      float max = Float.intBitsToFloat(high);
      float min = -Float.intBitsToFloat(low);
      float scale = scale(min, max);
      if (search && scale != 0) {
        scale = searched(x, from, scale, min);
      }
      int zero = zero(scale, min);
      scales[scalesAt + b] = scale;
      if (zeroPoints) {
        if (bits == 8) {
          zeros[zerosAt + b] = (byte) zero;
        } else {
          zeros[zerosAt + b / 2] |= (byte) (b % 2 == 0 ? zero : zero << 4);
        }
      }
      codes(x, from, scale, zero, codes, codesAt + b * (block * bits / 8));
    }
    return true;
  }

  private float scale(float min, float max) {
    if (zeroPoints) {
      return (max - min) / largest;
    }
    if (bits == 8) {
      return Math.max(-min, max) / 127;
    }
    // The codes reach one further down than up, which counts where they are few. So the weight of
    // the largest magnitude takes the
    // lowest code, and the scale is negative if that weight is positive.
    return (-min > max ? min : max) / -middle;
  }

  private int zero(float scale, float min) {
    if (!zeroPoints || scale == 0) {
      return middle;
    }
    return Math.max(0, Math.min(largest, Math.round(-min / scale)));
  }

  private void codes(float[] x, int from, float scale, int zero, byte[] codes, int at) {
    float inverse = scale == 0 ? 0 : 1 / scale;
    // Half is added for rounding; a negative sum is cut to 0, which is the lowest code.
    float shift = zero + 0.5f;
    if (bits == 8) {
      for (int i = 0; i < block; i++) {
        codes[at + i] =
            (byte) Math.max(0, Math.min(largest, (int) (x[from + i] * inverse + shift)));
      }
      return;
    }
    for (int i = 0; i < block; i += 2) {
      int first = Math.max(0, Math.min(15, (int) (x[from + i] * inverse + shift)));
      int second = Math.max(0, Math.min(15, (int) (x[from + i + 1] * inverse + shift)));
      codes[at + i / 2] = (byte) (first | second << 4);
    }
  }

  private float searched(float[] x, int from, float full, float min) {
    float best = full;
    float least = error(x, from, full, zero(full, min), Float.MAX_VALUE);
    for (float shrink : SHRINKS) {
      float scale = full * shrink;
      float error = error(x, from, scale, zero(scale, min), least);
      if (error < least) {
        least = error;
        best = scale;
      }
    }
    return best;
  }

  /** Sum of squared errors, in units of the weights; stops where it exceeds the limit. */
  private float error(float[] x, int from, float scale, int zero, float limit) {
    float inverse = 1 / scale;
    float shift = zero + 0.5f;
    float sum = 0;
    for (int start = from; start < from + block && sum < limit; start += 16) {
      for (int i = start; i < start + 16; i++) {
        int code = Math.max(0, Math.min(largest, (int) (x[i] * inverse + shift)));
        float difference = x[i] - scale * (code - zero);
        sum += difference * difference;
      }
    }
    return sum;
  }

  /**
   * One row with one scale, in signed codes from -127 to 127.
   *
   * @param x the row
   * @param columns how many of it
   * @param codes takes the codes
   * @param at where
   * @return the scale, or NaN if the row holds NaN or an infinity
   */
  static float signedRow(float[] x, int columns, byte[] codes, int at) {
    int high = 0;
    for (int i = 0; i < columns; i++) {
      high = Math.max(high, Float.floatToRawIntBits(x[i]) & ~SIGN);
    }
    if (high >= INFINITY) {
      return Float.NaN;
    }
    float scale = Float.intBitsToFloat(high) / 127;
    float inverse = scale == 0 ? 0 : 1 / scale;
    for (int i = 0; i < columns; i++) {
      // 128 keeps the sum positive, where cutting is rounding down.
      codes[at + i] = (byte) ((int) (x[i] * inverse + 128.5f) - 128);
    }
    return scale;
  }
}
