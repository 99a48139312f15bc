package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.InvalidRequestException;
import dev.lmm.core.random.TorchGenerator;

/** Latent consistency models (arXiv 2310.04378). */
final class Lcm extends Scheduler {
  private final double scaling;
  private final boolean clip;
  private final double limit;

  Lcm(SchedulerConfig config, int steps) {
    super(config);
    int original = config.json().intAt("original_inference_steps", 50);
    int train = config.trainSteps();
    int ratio = train / original;
    if (steps > original || ratio < 1) {
      throw new InvalidRequestException(
          "steps: are " + steps + "; the scheduler lcm takes at most " + original);
    }
    // Every so manieth of the timesteps the model was distilled on, from the last.
    timesteps = new double[steps];
    for (int i = 0; i < steps; i++) {
      int index = (int) Math.floor((double) original * i / steps);
      timesteps[i] = (double) (original - index) * ratio - 1;
    }
    scaling = config.json().doubleAt("timestep_scaling", 10);
    clip = config.flag("clip_sample", false);
    limit = config.json().doubleAt("clip_sample_range", 1);
  }

  @Override
  public float[] step(float[] output, int call, float[] sample, TorchGenerator random) {
    int t = (int) timesteps[call];
    boolean end = call == calls() - 1;
    double a = alphas[t];
    double next = end ? alphas[t] : alphas[(int) timesteps[call + 1]];
    double scaled = t * scaling;
    double skip = 0.25 / (scaled * scaled + 0.25);
    double out = scaled / Math.sqrt(scaled * scaled + 0.25);
    float[] clean = clean(output, sample, Math.sqrt(a), Math.sqrt(1 - a));
    if (clip) {
      clip(clean, limit);
    }
    float[] denoised = mix(out, clean, skip, sample);
    return end
        ? denoised
        : mix(Math.sqrt(next), denoised, Math.sqrt(1 - next), random.randn(sample.length));
  }
}
