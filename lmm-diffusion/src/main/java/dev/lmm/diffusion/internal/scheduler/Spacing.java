package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.InvalidRequestException;

/** Which of the training's timesteps are taken, {@code timestep_spacing}. */
final class Spacing {
  private Spacing() {}

  /** Falling timesteps as the schedulers of one step take them. */
  static double[] of(String spacing, int steps, int train, int offset) {
    double[] t = new double[steps];
    switch (spacing) {
      case "linspace" -> {
        for (int i = 0; i < steps; i++) {
          t[steps - 1 - i] = steps == 1 ? 0 : (train - 1.0) * i / (steps - 1);
        }
      }
      case "leading" -> {
        int ratio = train / steps;
        for (int i = 0; i < steps; i++) {
          t[steps - 1 - i] = (double) i * ratio + offset;
        }
      }
      case "trailing" -> trailing(t, train);
      default -> throw unknown(spacing);
    }
    return t;
  }

  /** Falling timesteps as the multistep solvers take them: of one more point, the last dropped. */
  static double[] ofSolvers(String spacing, int steps, int train, int offset) {
    double[] t = new double[steps];
    switch (spacing) {
      case "linspace" -> {
        for (int i = 0; i < steps; i++) {
          t[i] = Math.rint((train - 1.0) * (steps - i) / steps);
        }
      }
      case "leading" -> {
        int ratio = train / (steps + 1);
        for (int i = 0; i < steps; i++) {
          t[i] = (double) (steps - i) * ratio + offset;
        }
      }
      case "trailing" -> trailing(t, train);
      default -> throw unknown(spacing);
    }
    return t;
  }

  private static void trailing(double[] t, int train) {
    double ratio = (double) train / t.length;
    for (int i = 0; i < t.length; i++) {
      t[i] = Math.rint(train - i * ratio) - 1;
    }
  }

  private static InvalidRequestException unknown(String spacing) {
    return new InvalidRequestException(
        "timestep_spacing: is " + spacing + "; expected linspace, leading or trailing");
  }
}
