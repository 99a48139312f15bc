package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.core.random.TorchGenerator;
import org.jspecify.annotations.Nullable;

/** DEIS (arXiv 2204.13902), logarithmic form, of order 2. */
final class Deis extends SolverScheduler {
  private final boolean lowerAtTheEnd;
  private int done;

  Deis(SchedulerConfig config, int steps, @Nullable String spaced) {
    super(config, steps, spaced, false);
    lowerAtTheEnd = config.flag("lower_order_final", true);
  }

  @Override
  public float[] step(float[] output, int call, float[] sample, TorchGenerator random) {
    double sigma = sigmas[call];
    remember(noise(output, sample, alpha(sigma), share(sigma)));
    boolean first =
        solverOrder == 1 || done < 1 || (call == calls() - 1 && lowerAtTheEnd && calls() < 15);
    done++;
    double next = sigmas[call + 1];
    float[] latest = converted.get(0);
    if (first) {
      double h = lambda(next) - lambda(sigma);
      return mix(alpha(next) / alpha(sigma), sample, -share(next) * Math.expm1(h), latest);
    }
    double before = sigmas[call - 1];
    double c1 = integral(next, sigma, before) - integral(sigma, sigma, before);
    double c2 = integral(next, before, sigma) - integral(sigma, before, sigma);
    float[] result = mix(1 / alpha(sigma), sample, c1, latest);
    result = mix(1, result, c2, converted.get(1));
    return mix(alpha(next), result, 0, result);
  }

  /** Of {@code (log t - log c) / (log b - log c)}. */
  private static double integral(double t, double b, double c) {
    return t * (-Math.log(c) + Math.log(t) - 1) / (Math.log(b) - Math.log(c));
  }
}
