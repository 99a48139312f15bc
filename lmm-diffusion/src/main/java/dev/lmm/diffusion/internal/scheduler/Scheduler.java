package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.core.random.TorchGenerator;

/**
 * Leads one picture from noise to the end: which timesteps the model sees, and what becomes of the
 * sample after each prediction. Made for one picture and used from the first step to the last, in
 * order. Not thread-safe.
 *
 * <p>Source of each: diffusers 0.42.1's scheduler of the name, followed step for step and checked
 * by goldens.
 */
public abstract class Scheduler {
  final Prediction prediction;
  final float[] alphas;

  /** Timesteps the model is given, one for each call. */
  double[] timesteps = {};

  Scheduler(SchedulerConfig config) {
    this.prediction = config.prediction();
    this.alphas = config.alphas();
  }

  /**
   * How often the model is called.
   *
   * @return at least 1; more than the steps asked for where a step takes two calls
   */
  public final int calls() {
    return timesteps.length;
  }

  /**
   * The timestep of a call.
   *
   * @param call from 0
   * @return as the model is given it; not always whole
   */
  public final double timestep(int call) {
    return timesteps[call];
  }

  /**
   * How many calls one step takes, for starting in the middle.
   *
   * @return 1 or 2
   */
  public int order() {
    return 1;
  }

  /**
   * What noise is multiplied with to become the first sample.
   *
   * @return at least 1
   */
  public double initialNoise() {
    return 1;
  }

  /**
   * What a sample is multiplied with before the model sees it.
   *
   * @param call from 0
   * @return at most 1
   */
  public double inputScale(int call) {
    return 1;
  }

  /**
   * Makes one step.
   *
   * @param output what the model predicted
   * @param call from 0
   * @param sample before the step; not changed
   * @param random of this picture
   * @return the sample after the step
   */
  public abstract float[] step(float[] output, int call, float[] sample, TorchGenerator random);

  /**
   * A clean sample with the noise that belongs to the beginning of a call.
   *
   * @param clean the sample
   * @param noise as long
   * @param call from 0; the number of calls for no noise
   * @return as long
   */
  public float[] addNoise(float[] clean, float[] noise, int call) {
    if (call >= timesteps.length) {
      return clean.clone();
    }
    double a = alphas[(int) timesteps[call]];
    return mix(Math.sqrt(a), clean, Math.sqrt(1 - a), noise);
  }

  /** {@code a x + b y}. */
  static float[] mix(double a, float[] x, double b, float[] y) {
    float fa = (float) a;
    float fb = (float) b;
    float[] out = new float[x.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = fa * x[i] + fb * y[i];
    }
    return out;
  }

  /** The clean sample a prediction implies, where {@code sample = alpha x + sigma noise}. */
  final float[] clean(float[] output, float[] sample, double alpha, double sigma) {
    return switch (prediction) {
      case SAMPLE -> output.clone();
      case EPSILON -> mix(1 / alpha, sample, -sigma / alpha, output);
      case V -> mix(alpha, sample, -sigma, output);
    };
  }

  /** The noise a prediction implies, where {@code sample = alpha x + sigma noise}. */
  final float[] noise(float[] output, float[] sample, double alpha, double sigma) {
    return switch (prediction) {
      case SAMPLE -> mix(1 / sigma, sample, -alpha / sigma, output);
      case EPSILON -> output.clone();
      case V -> mix(alpha, output, sigma, sample);
    };
  }

  static void clip(float[] values, double limit) {
    float most = (float) limit;
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.max(-most, Math.min(most, values[i]));
    }
  }
}
