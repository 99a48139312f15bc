package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.random.TorchGenerator;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** PNDM without its Runge-Kutta steps (arXiv 2202.09778): the second timestep comes twice. */
final class Pndm extends Scheduler {
  private final int stride;
  private final double last;
  private final List<float[]> outputs = new ArrayList<>();
  private float @Nullable [] kept;
  private int counter;

  Pndm(SchedulerConfig config, int steps) {
    super(config);
    if (!config.flag("skip_prk_steps", false)) {
      throw new UnsupportedModelException(
          config.json().source()
              + ": skip_prk_steps is false; expected true, as Stable Diffusion has it");
    }
    double[] plain =
        Spacing.of(config.spacing("leading"), steps, config.trainSteps(), config.offset());
    Ddpm.toWhole(plain);
    timesteps = new double[steps == 1 ? 1 : steps + 1];
    timesteps[0] = plain[0];
    for (int i = 1; i < timesteps.length; i++) {
      timesteps[i] = plain[i == 1 ? 1 : i - 1];
    }
    stride = config.trainSteps() / steps;
    last = config.flag("set_alpha_to_one", false) ? 1 : alphas[0];
  }

  @Override
  public float[] step(float[] output, int call, float[] sample, TorchGenerator random) {
    int t = (int) timesteps[call];
    int before = t - stride;
    if (counter == 1) {
      before = t;
      t += stride;
    } else {
      if (outputs.size() > 3) {
        outputs.remove(0);
      }
      outputs.add(output);
    }
    int n = outputs.size();
    float[] latest = outputs.get(n - 1);
    float[] used;
    if (n == 1 && counter == 0) {
      used = output;
      kept = sample;
    } else if (n == 1 && counter == 1) {
      used = mix(0.5, output, 0.5, latest);
      sample = kept == null ? sample : kept;
      kept = null;
    } else if (n == 2) {
      used = mix(1.5, latest, -0.5, outputs.get(0));
    } else if (n == 3) {
      used = mix(23 / 12.0, latest, -16 / 12.0, outputs.get(1));
      used = mix(1, used, 5 / 12.0, outputs.get(0));
    } else {
      used = mix(55 / 24.0, latest, -59 / 24.0, outputs.get(n - 2));
      used = mix(1, used, 37 / 24.0, outputs.get(n - 3));
      used = mix(1, used, -9 / 24.0, outputs.get(n - 4));
    }
    counter++;
    return previous(used, t, before, sample);
  }

  private float[] previous(float[] output, int t, int before, float[] sample) {
    // Starting in the middle, the averaging call looks one stride past the training's end.
    double a = alphas[Math.min(t, alphas.length - 1)];
    double next = before >= 0 ? alphas[before] : last;
    if (prediction == Prediction.V) {
      output = mix(Math.sqrt(a), output, Math.sqrt(1 - a), sample);
    }
    double divisor = a * Math.sqrt(1 - next) + Math.sqrt(a * (1 - a) * next);
    return mix(Math.sqrt(next / a), sample, -(next - a) / divisor, output);
  }
}
