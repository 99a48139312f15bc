package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.core.random.TorchGenerator;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Linear multistep of order 4: the polynomials through the last slopes, integrated exactly. */
final class Lms extends SigmaScheduler {
  private static final int ORDER = 4;
  private final List<float[]> slopes = new ArrayList<>();

  Lms(SchedulerConfig config, int steps, @Nullable String spaced) {
    super(config, steps, spaced);
  }

  @Override
  public float[] step(float[] output, int call, float[] sample, TorchGenerator random) {
    slopes.add(0, slope(sigmas[call], output, sample));
    if (slopes.size() > ORDER) {
      slopes.remove(ORDER);
    }
    // Starting in the middle, levels before the start count, but there are no slopes of them.
    int order = Math.min(call + 1, ORDER);
    float[] result = sample.clone();
    for (int i = 0; i < Math.min(order, slopes.size()); i++) {
      result = mix(1, result, coefficient(order, call, i), slopes.get(i));
    }
    return result;
  }

  /** The integral of the i-th Lagrange polynomial over the step. */
  private double coefficient(int order, int call, int i) {
    double[] polynomial = {1};
    for (int k = 0; k < order; k++) {
      if (k == i) {
        continue;
      }
      double root = sigmas[call - k];
      double divisor = sigmas[call - i] - root;
      double[] product = new double[polynomial.length + 1];
      for (int d = 0; d < polynomial.length; d++) {
        product[d] -= polynomial[d] * root / divisor;
        product[d + 1] += polynomial[d] / divisor;
      }
      polynomial = product;
    }
    double integral = 0;
    for (int d = 0; d < polynomial.length; d++) {
      integral +=
          polynomial[d]
              / (d + 1)
              * (Math.pow(sigmas[call + 1], d + 1) - Math.pow(sigmas[call], d + 1));
    }
    return integral;
  }
}
