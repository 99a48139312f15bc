package dev.lmm.diffusion.internal.scheduler;

import org.jspecify.annotations.Nullable;

/**
 * What the schedulers of Karras et al. 2022 have in common: the sample is the picture plus so many
 * times the noise, and the model sees it scaled down.
 */
abstract class SigmaScheduler extends Scheduler {
  /** Ratios of noise of each training step. */
  final double[] ratios;

  /** Levels from the first step to the end, which is 0. */
  double[] sigmas;

  private final double initial;

  SigmaScheduler(SchedulerConfig config, int steps, @Nullable String spaced) {
    this(config, steps, spaced, false);
  }

  SigmaScheduler(
      SchedulerConfig config, int steps, @Nullable String spaced, boolean wholeForKarras) {
    super(config);
    ratios = config.noiseRatios();
    String spacing = config.spacing("linspace");
    timesteps = Spacing.of(spacing, steps, config.trainSteps(), config.offset());
    sigmas = new double[steps + 1];
    for (int i = 0; i < steps; i++) {
      timesteps[i] = (float) timesteps[i];
      sigmas[i] = Sigmas.at(ratios, timesteps[i]);
    }
    if (spaced != null) {
      double[] levels = Sigmas.spaced(spaced, sigmas[0], sigmas[steps - 1], steps);
      for (int i = 0; i < steps; i++) {
        sigmas[i] = levels[i];
        double t = Sigmas.timestep(ratios, levels[i]);
        timesteps[i] = wholeForKarras && spaced.equals("karras") ? Math.rint(t) : t;
      }
    }
    for (int i = 0; i < steps; i++) {
      sigmas[i] = (float) sigmas[i];
      timesteps[i] = (float) timesteps[i];
    }
    initial = spacing.equals("leading") ? Math.sqrt(sigmas[0] * sigmas[0] + 1) : sigmas[0];
  }

  @Override
  public double initialNoise() {
    return initial;
  }

  @Override
  public double inputScale(int call) {
    return scale(sigmas[call]);
  }

  static double scale(double sigma) {
    return 1 / Math.sqrt(sigma * sigma + 1);
  }

  @Override
  public float[] addNoise(float[] clean, float[] noise, int call) {
    return call >= calls() ? clean.clone() : mix(1, clean, sigmas[call], noise);
  }

  /** The clean sample at a level. */
  final float[] cleanAt(double sigma, float[] output, float[] sample) {
    return switch (prediction) {
      case SAMPLE -> output.clone();
      case EPSILON -> mix(1, sample, -sigma, output);
      case V -> mix(1 / (sigma * sigma + 1), sample, -sigma * scale(sigma), output);
    };
  }

  /** How the sample changes with the level: the noise. */
  final float[] slope(double sigma, float[] output, float[] sample) {
    float[] clean = cleanAt(sigma, output, sample);
    float s = (float) sigma;
    float[] slope = new float[sample.length];
    for (int i = 0; i < slope.length; i++) {
      slope[i] = (sample[i] - clean[i]) / s;
    }
    return slope;
  }

  /** How much noise an ancestral step adds. In single precision, for the next one cancels. */
  static float up(double from, double to) {
    float f = (float) from * (float) from;
    float t = (float) to * (float) to;
    return (float) Math.sqrt(t * (f - t) / f);
  }

  /** The level an ancestral step goes down to before it adds noise. */
  static float down(double from, double to) {
    float up = up(from, to);
    return (float) Math.sqrt((float) to * (float) to - up * up);
  }
}
