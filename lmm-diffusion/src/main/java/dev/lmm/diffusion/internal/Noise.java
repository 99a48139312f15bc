package dev.lmm.diffusion.internal;

/** Noise between two noises. */
final class Noise {
  /** Above this cosine the arc is as good as straight. */
  private static final double PARALLEL = 0.9995;

  private Noise() {}

  /**
   * Spherical interpolation (Shoemake 1985): as long as noise is, which a mean of two is not.
   *
   * @param a the first
   * @param b as many numbers
   * @param share 0 for the first, 1 for the second
   */
  static float[] between(float[] a, float[] b, double share) {
    double product = 0;
    double lengthA = 0;
    double lengthB = 0;
    for (int i = 0; i < a.length; i++) {
      product += (double) a[i] * b[i];
      lengthA += (double) a[i] * a[i];
      lengthB += (double) b[i] * b[i];
    }
    double cosine = product / Math.sqrt(lengthA * lengthB);
    double partA = 1 - share;
    double partB = share;
    if (Math.abs(cosine) < PARALLEL) {
      double angle = Math.acos(cosine);
      partA = Math.sin((1 - share) * angle) / Math.sin(angle);
      partB = Math.sin(share * angle) / Math.sin(angle);
    }
    float[] between = new float[a.length];
    for (int i = 0; i < a.length; i++) {
      between[i] = (float) (partA * a[i] + partB * b[i]);
    }
    return between;
  }
}
