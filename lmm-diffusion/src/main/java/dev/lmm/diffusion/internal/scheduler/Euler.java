package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.core.random.TorchGenerator;
import org.jspecify.annotations.Nullable;

/** Euler's method, and with fresh noise at every step its ancestral form. */
final class Euler extends SigmaScheduler {
  private final boolean ancestral;

  Euler(SchedulerConfig config, int steps, @Nullable String spaced, boolean ancestral) {
    super(config, steps, spaced);
    this.ancestral = ancestral;
  }

  @Override
  public float[] step(float[] output, int call, float[] sample, TorchGenerator random) {
    double sigma = sigmas[call];
    double next = sigmas[call + 1];
    float[] slope = slope(sigma, output, sample);
    if (!ancestral) {
      return mix(1, sample, next - sigma, slope);
    }
    float[] mean = mix(1, sample, down(sigma, next) - sigma, slope);
    return mix(1, mean, up(sigma, next), random.randn(sample.length));
  }
}
