package dev.lmm;

/** Which frames of a clip are looked at. */
final class Sampling {
  private static final int MOST = 768;

  private Sampling() {}

  /** Exactly so many, those at floor(i * total / count). */
  static int[] spread(int total, int count) {
    Check.that(
        count > 0 && count <= total,
        "frames: are asked to be " + count + "; expected 1 to " + total);
    int[] indices = new int[count];
    for (int i = 0; i < count; i++) {
      indices[i] = (int) ((long) i * total / count);
    }
    return indices;
  }

  /** So many a second: an even number, at least 4, at most all and 768; the only one of one. */
  static int[] atRate(int total, double fps, double rate) {
    Check.that(
        rate > 0 && Double.isFinite(rate), "fps: is " + rate + "; expected a positive number");
    int most = Math.min(total - total % 2, MOST);
    double wanted = Math.min(Math.max(total / fps * rate, 4), most);
    int count = (int) Math.floor(wanted / 2) * 2;
    return spread(total, count == 0 ? total : count);
  }
}
