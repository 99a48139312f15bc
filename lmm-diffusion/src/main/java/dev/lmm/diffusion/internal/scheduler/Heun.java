package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.core.random.TorchGenerator;
import org.jspecify.annotations.Nullable;

/** Heun's method: two calls a step, but one in the last. */
final class Heun extends SigmaScheduler {
  private final double[] levels;
  private float @Nullable [] slope;
  private float[] start = {};

  Heun(SchedulerConfig config, int steps, @Nullable String spaced) {
    super(config, steps, spaced);
    levels = sigmas;
    double[] t = new double[2 * steps - 1];
    double[] s = new double[2 * steps];
    for (int i = 0; i < t.length; i++) {
      t[i] = timesteps[(i + 1) / 2];
      s[i] = levels[(i + 1) / 2];
    }
    timesteps = t;
    sigmas = s;
  }

  @Override
  public int order() {
    return 2;
  }

  @Override
  public float[] step(float[] output, int call, float[] sample, TorchGenerator random) {
    if (slope == null) {
      double sigma = sigmas[call];
      double next = levels[Math.min((call + 1) / 2 + 1, levels.length - 1)];
      float[] first = slope(sigma, output, sample);
      if (next > 0) {
        slope = first;
        start = sample;
      }
      return mix(1, sample, next - sigma, first);
    }
    double sigma = levels[call / 2];
    double next = sigmas[call];
    float[] average = mix(0.5, slope, 0.5, slope(next, output, sample));
    slope = null;
    return mix(1, start, next - sigma, average);
  }
}
