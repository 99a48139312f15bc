package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.random.TorchGenerator;
import org.jspecify.annotations.Nullable;

/** DPM-Solver++ 2M (arXiv 2211.01095), midpoint form, and with fresh noise its SDE form. */
final class DpmSolver extends SolverScheduler {
  private final boolean sde;
  private final boolean zeroAtTheEnd;
  private final boolean eulerAtTheEnd;
  private final boolean lowerAtTheEnd;
  private int done;

  DpmSolver(SchedulerConfig config, int steps, @Nullable String spaced, boolean sde) {
    super(
        config, steps, spaced, config.json().stringAt("final_sigmas_type", "zero").equals("zero"));
    this.sde = sde;
    String type = config.json().stringAt("solver_type", "midpoint");
    if (!type.equals("midpoint")) {
      throw new UnsupportedModelException(
          config.json().at("solver_type").unexpected("midpoint").getMessage());
    }
    zeroAtTheEnd = sigmas[steps] == 0;
    eulerAtTheEnd = config.flag("euler_at_final", false);
    lowerAtTheEnd = config.flag("lower_order_final", true);
  }

  @Override
  public float[] step(float[] output, int call, float[] sample, TorchGenerator random) {
    remember(cleanAt(call, output, sample));
    boolean last = call == calls() - 1;
    boolean first =
        solverOrder == 1
            || done < 1
            || (last && (eulerAtTheEnd || zeroAtTheEnd || (lowerAtTheEnd && calls() < 15)));
    done++;
    double now = sigmas[call];
    double next = sigmas[call + 1];
    double h = lambda(next) - lambda(now);
    double decay = Math.exp(-h);
    float[] latest = converted.get(0);
    double kept = share(next) / share(now);
    double gain = sde ? alpha(next) * (1 - decay * decay) : -alpha(next) * (decay - 1);
    float[] result = mix(sde ? kept * decay : kept, sample, gain, latest);
    if (!first) {
      double ratio = (lambda(now) - lambda(sigmas[call - 1])) / h;
      result = mix(1, result, 0.5 * gain / ratio, latest);
      result = mix(1, result, -0.5 * gain / ratio, converted.get(1));
    }
    if (sde) {
      double noise = share(next) * Math.sqrt(1 - decay * decay);
      result = mix(1, result, noise, random.randn(sample.length));
    }
    return result;
  }
}
