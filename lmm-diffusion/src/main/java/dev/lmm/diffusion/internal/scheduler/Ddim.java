package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.core.random.TorchGenerator;

/** DDIM without added noise (arXiv 2010.02502, eta 0). */
final class Ddim extends Scheduler {
  private final int stride;
  private final double last;
  private final boolean clip;
  private final double limit;

  Ddim(SchedulerConfig config, int steps) {
    super(config);
    timesteps = Spacing.of(config.spacing("leading"), steps, config.trainSteps(), config.offset());
    Ddpm.toWhole(timesteps);
    stride = config.trainSteps() / steps;
    last = config.flag("set_alpha_to_one", true) ? 1 : alphas[0];
    clip = config.flag("clip_sample", true);
    limit = config.json().doubleAt("clip_sample_range", 1);
  }

  @Override
  public float[] step(float[] output, int call, float[] sample, TorchGenerator random) {
    int t = (int) timesteps[call];
    int before = t - stride;
    double a = alphas[t];
    double next = before >= 0 ? alphas[before] : last;
    float[] clean = clean(output, sample, Math.sqrt(a), Math.sqrt(1 - a));
    float[] noise = noise(output, sample, Math.sqrt(a), Math.sqrt(1 - a));
    if (clip) {
      clip(clean, limit);
    }
    return mix(Math.sqrt(next), clean, Math.sqrt(1 - next), noise);
  }
}
