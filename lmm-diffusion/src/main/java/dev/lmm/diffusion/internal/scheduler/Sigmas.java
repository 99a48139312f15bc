package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.InvalidRequestException;

/** How noise levels are spaced, and the timesteps they belong to. */
final class Sigmas {
  private Sigmas() {}

  /** The ratio at a timestep that need not be whole. */
  static double at(double[] ratios, double timestep) {
    int low = (int) Math.min(Math.max(Math.floor(timestep), 0), ratios.length - 1);
    if (low == ratios.length - 1) {
      return ratios[low];
    }
    double part = timestep - low;
    return part == 0 ? ratios[low] : ratios[low] + part * (ratios[low + 1] - ratios[low]);
  }

  /** The timestep of a ratio, by linear interpolation of logarithms in single precision. */
  static double timestep(double[] ratios, double sigma) {
    double log = Math.log(Math.max(sigma, 1e-10));
    int low = 0;
    for (int i = 0; i < ratios.length; i++) {
      if (log >= (float) Math.log(ratios[i])) {
        low = i;
      }
    }
    low = Math.min(low, ratios.length - 2);
    double a = (float) Math.log(ratios[low]);
    double b = (float) Math.log(ratios[low + 1]);
    double w = Math.min(Math.max((a - log) / (a - b), 0), 1);
    return (1 - w) * low + w * (low + 1);
  }

  /**
   * Falling levels.
   *
   * @param kind {@code karras}, {@code exponential} or {@code beta}
   * @param largest the first
   * @param smallest the last
   * @param count how many
   */
  static double[] spaced(String kind, double largest, double smallest, int count) {
    double[] sigmas = new double[count];
    for (int i = 0; i < count; i++) {
      double part = count == 1 ? 0 : (double) i / (count - 1);
      sigmas[i] =
          switch (kind) {
            // Karras et al. 2022, equation 5, with rho 7.
            case "karras" -> {
              double a = Math.pow(largest, 1 / 7.0);
              double b = Math.pow(smallest, 1 / 7.0);
              yield Math.pow(a + part * (b - a), 7);
            }
            case "exponential" ->
                Math.exp(Math.log(largest) + part * (Math.log(smallest) - Math.log(largest)));
            // arXiv 2407.12173, with both parameters 0.6.
            case "beta" -> smallest + BetaQuantile.of(1 - part, 0.6, 0.6) * (largest - smallest);
            default ->
                throw new InvalidRequestException(
                    "sigmas: is " + kind + "; expected karras, exponential or beta");
          };
    }
    return sigmas;
  }
}
