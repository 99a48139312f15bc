package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.random.TorchGenerator;
import org.jspecify.annotations.Nullable;

/**
 * DPM-Solver++ of the stochastic equation in Karras' form: a call in the (logarithmic) middle of
 * each step. Its noise is that of one Brownian motion over the levels of noise, so it does not
 * depend on how many steps are taken. Levels in single precision: a last bit of one may decide
 * which millionth of the motion is asked for, and PyTorch's logarithms and powers are off by one in
 * some of 20, by other ones on other processors.
 */
class DpmSolverSde extends SigmaScheduler {
  private final float[] levels;
  private final float[] middles;
  private final long seed;
  private @Nullable BrownianTree tree;
  private float[] start = {};

  /**
   * Makes one.
   *
   * @param seed of the motion, at least 0, if the file has none
   */
  DpmSolverSde(SchedulerConfig config, int steps, @Nullable String spaced, long seed) {
    super(config, steps, spaced);
    if (prediction == Prediction.SAMPLE) {
      throw new UnsupportedModelException(
          config.json().at("prediction_type").unexpected("epsilon or v_prediction").getMessage());
    }
    this.seed = config.noiseSeed(seed);
    levels = new float[steps + 1];
    middles = new float[steps];
    double[] t = new double[2 * steps - 1];
    double[] s = new double[2 * steps];
    for (int i = 0; i < steps; i++) {
      levels[i] = (float) sigmas[i];
    }
    for (int i = 0; i < steps; i++) {
      t[2 * i] = timesteps[i];
      s[2 * i] = levels[i];
      if (i < steps - 1) {
        float now = time(levels[i]);
        middles[i] = level(now + (time(levels[i + 1]) - now) * 0.5f);
        double middle =
            StrictMath.exp((StrictMath.log(levels[i]) + StrictMath.log(levels[i + 1])) / 2);
        t[2 * i + 1] = Sigmas.timestep(ratios, middle);
        s[2 * i + 1] = levels[i + 1];
      }
    }
    timesteps = t;
    sigmas = s;
  }

  private static float time(float level) {
    return (float) -StrictMath.log(level);
  }

  private static float level(float time) {
    return (float) StrictMath.exp(-time);
  }

  @Override
  public int order() {
    return 2;
  }

  @Override
  public double inputScale(int call) {
    return call % 2 == 0 ? super.inputScale(call) : scale(middles[call / 2]);
  }

  @Override
  public float[] step(float[] output, int call, float[] sample, TorchGenerator random) {
    int step = call / 2;
    float sigma = levels[step];
    float next = levels[step + 1];
    if (next == 0) {
      return mix(1, sample, -sigma, slope(sigma, output, sample));
    }
    boolean first = call % 2 == 0;
    float[] clean = cleanAt(first ? sigma : middles[step], output, sample);
    float now = time(sigma);
    float then = first ? now + (time(next) - now) * 0.5f : time(next);
    if (first) {
      start = sample;
    }
    float from = level(now);
    float to = level(then);
    float up = Math.min(to, (float) Math.sqrt(to * to * (from * from - to * to) / (from * from)));
    float down = (float) Math.sqrt(to * to - up * up);
    float lower = time(down);
    float[] moved =
        mix(level(lower) / level(now), start, -(float) StrictMath.expm1(now - lower), clean);
    return mix(1, moved, up, noise(from, to, sample.length));
  }

  /** What the motion did between two levels, over the root of their distance. */
  float[] noise(float from, float to, int size) {
    if (tree == null) {
      tree = new BrownianTree(levels[levels.length - 2], levels[0], size, seed);
    }
    float[] noise = tree.increment(to, from);
    // Time runs backwards.
    float length = (float) -Math.sqrt(from - to);
    for (int i = 0; i < noise.length; i++) {
      noise[i] /= length;
    }
    return noise;
  }
}
