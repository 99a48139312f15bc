package dev.lmm.search;

/** Finds where the highest of many numbers begin without sorting them, by counting in steps. */
final class Highest {
  private static final int STEPS = 8192;

  private final int[] counts = new int[STEPS + 1];
  private final float lowest;
  private final float steps;

  /**
   * Counts.
   *
   * @param numbers of which negative infinity counts as none
   */
  Highest(float[] numbers) {
    float least = Float.POSITIVE_INFINITY;
    float most = Float.NEGATIVE_INFINITY;
    for (float number : numbers) {
      if (number > Float.NEGATIVE_INFINITY) {
        least = Math.min(least, number);
        most = Math.max(most, number);
      }
    }
    lowest = least;
    steps = most > least ? STEPS / (most - least) : 0; // 0: none, or all alike
    if (steps > 0) {
      for (float number : numbers) {
        if (number > Float.NEGATIVE_INFINITY) {
          counts[Math.min(STEPS, (int) ((number - least) * steps))]++;
        }
      }
    }
  }

  /**
   * A number that about so many reach: no fewer, and more by what lies within one and a half steps
   * of 8,192.
   *
   * @param wanted how many
   * @return above negative infinity
   */
  float least(int wanted) {
    int step = STEPS;
    for (int reached = counts[step]; reached < wanted && step > 0; ) {
      reached += counts[--step];
    }
    // Half a step lower, or rounding could leave out what was counted.
    return step == 0 || steps == 0 ? lowest : lowest + (step - 0.5F) / steps;
  }
}
