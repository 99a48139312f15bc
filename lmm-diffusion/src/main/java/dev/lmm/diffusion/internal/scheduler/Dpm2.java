package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.core.random.TorchGenerator;
import org.jspecify.annotations.Nullable;

/**
 * DPM-Solver-2 in Karras' form: a call in the (logarithmic) middle of each step; also ancestral.
 */
final class Dpm2 extends SigmaScheduler {
  private final boolean ancestral;
  private final double[] levels;
  private final double[] middles;
  private final double[] downs;
  private float @Nullable [] start;

  Dpm2(SchedulerConfig config, int steps, @Nullable String spaced, boolean ancestral) {
    super(config, steps, spaced, true);
    this.ancestral = ancestral;
    levels = sigmas;
    middles = new double[steps];
    downs = new double[steps];
    double[] t = new double[2 * steps - 1];
    double[] s = new double[2 * steps - 1];
    for (int i = 0; i < steps; i++) {
      double next = levels[i + 1];
      downs[i] = ancestral ? down(levels[i], next) : next;
      middles[i] =
          downs[i] == 0 ? 0 : (float) Math.exp((Math.log(levels[i]) + Math.log(downs[i])) / 2);
      t[2 * i] = timesteps[i];
      s[2 * i] = levels[i];
      if (i < steps - 1) {
        t[2 * i + 1] = (float) Sigmas.timestep(ratios, middles[i]);
        s[2 * i + 1] = middles[i];
      }
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
    int step = call / 2;
    double sigma = levels[step];
    if (call % 2 == 0) {
      float[] slope = slope(sigma, output, sample);
      start = sample;
      float[] next = mix(1, sample, middles[step] - sigma, slope);
      return next;
    }
    float[] slope = slope(middles[step], output, sample);
    float[] from = start == null ? sample : start;
    float[] next = mix(1, from, downs[step] - sigma, slope);
    return ancestral
        ? mix(1, next, up(sigma, levels[step + 1]), random.randn(sample.length))
        : next;
  }
}
