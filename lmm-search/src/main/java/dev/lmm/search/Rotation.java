package dev.lmm.search;

import java.util.Arrays;
import java.util.Random;

/**
 * Turns vectors, at random but always in the same way, so that what tells pictures apart is spread
 * evenly over all numbers and the sign of each says alike much: signs are flipped, then Hadamard's
 * transform adds and subtracts everything, twice, for in a longer space the first makes numbers
 * that repeat one another. Where the length is no power of two, the transform takes turns at the
 * longest beginning and the longest end that have one. Lengths and angles stay as they are.
 * Thread-safe.
 */
final class Rotation {
  /** Fewer signs say too little, so shorter vectors are turned in a longer space. */
  private static final int LEAST = 256;

  /** Signs are compared in two words at once. */
  private static final int STEP = 2 * Long.SIZE;

  private static final long SEED = 20240229;

  private final int length;
  private final int transformed;
  private final float[][] flips;

  Rotation(int dimension) {
    length = Math.max(LEAST, (dimension + STEP - 1) / STEP * STEP);
    transformed = Integer.highestOneBit(length);
    flips = new float[transformed == length ? 2 : 4][length];
    float unit = (float) (1 / Math.sqrt(transformed));
    Random random = new Random(SEED);
    for (int round = 0; round < flips.length; round++) {
      int start = start(round);
      for (int i = 0; i < length; i++) {
        boolean in = i >= start && i < start + transformed;
        flips[round][i] = (random.nextBoolean() ? 1 : -1) * (in ? unit : 1);
      }
    }
  }

  private int start(int round) {
    return round % 2 == 0 ? 0 : length - transformed;
  }

  /** Numbers of a turned vector: a multiple of 128. */
  int length() {
    return length;
  }

  /**
   * Turns a vector.
   *
   * @param turned gets it
   */
  void turn(float[] vector, float[] turned) {
    System.arraycopy(vector, 0, turned, 0, vector.length);
    Arrays.fill(turned, vector.length, length, 0);
    for (int round = 0; round < flips.length; round++) {
      for (int i = 0; i < length; i++) {
        turned[i] *= flips[round][i];
      }
      transform(turned, start(round), start(round) + transformed);
    }
  }

  private static void transform(float[] numbers, int begin, int end) {
    for (int half = 1; half < end - begin; half *= 2) {
      for (int start = begin; start < end; start += 2 * half) {
        for (int i = start; i < start + half; i++) {
          float a = numbers[i];
          float b = numbers[i + half];
          numbers[i] = a + b;
          numbers[i + half] = a - b;
        }
      }
    }
  }
}
