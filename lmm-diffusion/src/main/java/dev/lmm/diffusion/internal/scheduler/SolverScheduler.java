package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.UnsupportedModelException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the exponential multistep solvers have in common: DPM-Solver++, UniPC, DEIS. */
abstract class SolverScheduler extends Scheduler {
  /** Ratios of noise from the first step to the end. */
  final double[] sigmas;

  /** Converted outputs, the latest first; at most as many as the order. */
  final List<float[]> converted = new ArrayList<>();

  final int solverOrder;

  SolverScheduler(
      SchedulerConfig config, int steps, @Nullable String spaced, boolean zeroAtTheEnd) {
    super(config);
    double[] ratios = config.noiseRatios();
    int train = config.trainSteps();
    solverOrder = config.json().intAt("solver_order", 2);
    if (solverOrder != 1 && solverOrder != 2) {
      throw new UnsupportedModelException(
          config.json().at("solver_order").unexpected("1 or 2").getMessage());
    }
    timesteps = Spacing.ofSolvers(config.spacing("linspace"), steps, train, config.offset());
    sigmas = new double[steps + 1];
    if (spaced == null) {
      for (int i = 0; i < steps; i++) {
        sigmas[i] = (float) Sigmas.at(ratios, timesteps[i]);
      }
      sigmas[steps] = zeroAtTheEnd ? 0 : ratios[0];
    } else {
      double[] levels = Sigmas.spaced(spaced, ratios[train - 1], ratios[0], steps);
      for (int i = 0; i < steps; i++) {
        sigmas[i] = (float) levels[i];
        double t = Sigmas.timestep(ratios, levels[i]);
        timesteps[i] = spaced.equals("karras") ? Math.rint(t) : Math.floor(t);
      }
      sigmas[steps] = zeroAtTheEnd ? 0 : sigmas[steps - 1];
    }
  }

  static double alpha(double sigma) {
    return 1 / Math.sqrt(sigma * sigma + 1);
  }

  /** Noise's share where the sample's variance is 1. */
  static double share(double sigma) {
    return sigma * alpha(sigma);
  }

  /** Half the logarithm of the signal to noise ratio. */
  static double lambda(double sigma) {
    return -Math.log(sigma);
  }

  final void remember(float[] value) {
    converted.add(0, value);
    if (converted.size() > solverOrder) {
      converted.remove(solverOrder);
    }
  }

  final float[] cleanAt(int call, float[] output, float[] sample) {
    return clean(output, sample, alpha(sigmas[call]), share(sigmas[call]));
  }

  @Override
  public float[] addNoise(float[] clean, float[] noise, int call) {
    return call >= calls()
        ? clean.clone()
        : mix(alpha(sigmas[call]), clean, share(sigmas[call]), noise);
  }
}
