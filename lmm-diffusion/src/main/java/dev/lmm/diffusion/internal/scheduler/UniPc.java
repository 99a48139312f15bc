package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.core.random.TorchGenerator;
import org.jspecify.annotations.Nullable;

/** UniPC (arXiv 2302.04867), B2(h), of order 2: each call first corrects the step before it. */
final class UniPc extends SolverScheduler {
  private final boolean lowerAtTheEnd;
  private final boolean bh1;
  private float @Nullable [] before;
  private int order;
  private int done;

  UniPc(SchedulerConfig config, int steps, @Nullable String spaced) {
    super(
        config, steps, spaced, config.json().stringAt("final_sigmas_type", "zero").equals("zero"));
    lowerAtTheEnd = config.flag("lower_order_final", true);
    bh1 = config.json().stringAt("solver_type", "bh2").equals("bh1");
  }

  @Override
  public float[] step(float[] output, int call, float[] sample, TorchGenerator random) {
    float[] clean = cleanAt(call, output, sample);
    if (before != null) {
      sample = corrected(clean, call, before);
    }
    remember(clean);
    int left = lowerAtTheEnd ? calls() - call : solverOrder;
    order = Math.min(Math.min(solverOrder, left), done + 1);
    before = sample;
    done = Math.min(done + 1, solverOrder);
    double now = sigmas[call];
    double next = sigmas[call + 1];
    double h = lambda(next) - lambda(now);
    double phi = Math.expm1(-h);
    float[] latest = converted.get(0);
    float[] result = mix(share(next) / share(now), sample, -alpha(next) * phi, latest);
    if (order == 2) {
      double rk = (lambda(sigmas[call - 1]) - lambda(now)) / h;
      double weight = -alpha(next) * (bh1 ? -h : phi) * 0.5 / rk;
      result = mix(1, result, weight, converted.get(1));
      result = mix(1, result, -weight, latest);
    }
    return result;
  }

  private float[] corrected(float[] clean, int call, float[] from) {
    double then = sigmas[call - 1];
    double now = sigmas[call];
    double h = lambda(now) - lambda(then);
    double hh = -h;
    double phi = Math.expm1(hh);
    double b = bh1 ? hh : phi;
    float[] latest = converted.get(0);
    float[] result = mix(share(now) / share(then), from, -alpha(now) * phi, latest);
    double rho = 0.5;
    if (order == 2) {
      double rk = (lambda(sigmas[call - 2]) - lambda(then)) / h;
      double phi2 = phi / hh - 1;
      double phi3 = phi2 / hh - 0.5;
      double b1 = phi2 / b;
      double b2 = phi3 * 2 / b;
      // Two equations: r1 + r2 = b1, rk r1 + r2 = b2.
      double r1 = (b1 - b2) / (1 - rk);
      rho = b1 - r1;
      double weight = -alpha(now) * b * r1 / rk;
      result = mix(1, result, weight, converted.get(1));
      result = mix(1, result, -weight, latest);
    }
    double weight = -alpha(now) * b * rho;
    result = mix(1, result, weight, clean);
    return mix(1, result, -weight, latest);
  }
}
