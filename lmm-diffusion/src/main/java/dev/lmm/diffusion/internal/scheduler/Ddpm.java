package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.random.TorchGenerator;

/** DDPM with the small fixed variance (arXiv 2006.11239). */
final class Ddpm extends Scheduler {
  private final boolean clip;
  private final double limit;
  private final int stride;

  Ddpm(SchedulerConfig config, int steps) {
    super(config);
    String variance = config.json().stringAt("variance_type", "fixed_small");
    if (!variance.equals("fixed_small")) {
      throw new UnsupportedModelException(
          config.json().at("variance_type").unexpected("fixed_small").getMessage());
    }
    timesteps = Spacing.of(config.spacing("leading"), steps, config.trainSteps(), config.offset());
    toWhole(timesteps);
    stride = config.trainSteps() / steps;
    clip = config.flag("clip_sample", true);
    limit = config.json().doubleAt("clip_sample_range", 1);
  }

  /** Half to even, as numpy rounds. */
  static void toWhole(double[] timesteps) {
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = Math.rint(timesteps[i]);
    }
  }

  @Override
  public float[] step(float[] output, int call, float[] sample, TorchGenerator random) {
    int t = (int) timesteps[call];
    int before = t - stride;
    double a = alphas[t];
    double next = before >= 0 ? alphas[before] : 1;
    double kept = a / next;
    float[] clean = clean(output, sample, Math.sqrt(a), Math.sqrt(1 - a));
    if (clip) {
      clip(clean, limit);
    }
    float[] mean =
        mix(
            Math.sqrt(next) * (1 - kept) / (1 - a),
            clean,
            Math.sqrt(kept) * (1 - next) / (1 - a),
            sample);
    if (t == 0) {
      return mean;
    }
    double variance = Math.max((1 - next) / (1 - a) * (1 - kept), 1e-20);
    return mix(1, mean, Math.sqrt(variance), random.randn(sample.length));
  }
}
