package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.CheckpointException;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.json.Json;
import org.jspecify.annotations.Nullable;

/**
 * scheduler_config.json. A key that is not written takes the default of the scheduler that is made,
 * which is not the same for all.
 *
 * @param json the file
 * @param prediction what the model predicts
 * @param alphas share of the picture that is left at each training step (cumulative product)
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record SchedulerConfig(Json json, Prediction prediction, float[] alphas) {
  /** How a scheduler's class treats {@code rescale_betas_zero_snr}. */
  enum ZeroSnr {
    /** It does not know it. */
    IGNORED,
    /** The last step is noise alone. */
    EXACT,
    /** The last step keeps a trace of the picture, for its ratio of noise must be finite. */
    TRACE
  }

  static SchedulerConfig of(Json json, ZeroSnr zeroSnr) {
    int steps = json.intAt("num_train_timesteps", 1000);
    if (steps < 1 || steps > 100_000) {
      throw json.at("num_train_timesteps").unexpected("a number from 1 to 100000");
    }
    Prediction prediction =
        switch (json.stringAt("prediction_type", "epsilon")) {
          case "epsilon" -> Prediction.EPSILON;
          case "sample" -> Prediction.SAMPLE;
          case "v_prediction" -> Prediction.V;
          default -> throw json.at("prediction_type").unexpected("epsilon, sample or v_prediction");
        };
    if (json.boolAt("thresholding", false)) {
      throw new UnsupportedModelException(
          json.at("thresholding").unexpected("false; only pixel models need it").getMessage());
    }
    float[] betas = betas(json, steps);
    boolean rescaled = zeroSnr != ZeroSnr.IGNORED && json.boolAt("rescale_betas_zero_snr", false);
    if (rescaled) {
      rescale(betas);
    }
    float[] alphas = new float[steps];
    double product = 1;
    for (int i = 0; i < steps; i++) {
      product *= 1 - betas[i];
      alphas[i] = (float) product;
      if (!(alphas[i] >= 0 && alphas[i] < 1)) {
        throw new CheckpointException(
            json.source() + ": its betas are not between 0 and 1: alpha " + i + " is " + alphas[i]);
      }
    }
    if (rescaled && zeroSnr == ZeroSnr.TRACE) {
      alphas[steps - 1] = 0x1p-24f;
    }
    return new SchedulerConfig(json, prediction, alphas);
  }

  private static float[] betas(Json json, int steps) {
    double first = json.doubleAt("beta_start", 0.0001);
    double last = json.doubleAt("beta_end", 0.02);
    return switch (json.stringAt("beta_schedule", "linear")) {
      case "linear" -> linspace(first, last, steps);
      case "scaled_linear" -> {
        float[] roots = linspace(Math.sqrt(first), Math.sqrt(last), steps);
        for (int i = 0; i < steps; i++) {
          roots[i] *= roots[i];
        }
        yield roots;
      }
      case "squaredcos_cap_v2" -> {
        float[] betas = new float[steps];
        for (int i = 0; i < steps; i++) {
          double now = cosine((double) i / steps);
          betas[i] = (float) Math.min(1 - cosine((i + 1.0) / steps) / now, 0.999);
        }
        yield betas;
      }
      default ->
          throw new UnsupportedModelException(
              json.at("beta_schedule")
                  .unexpected("linear, scaled_linear or squaredcos_cap_v2")
                  .getMessage());
    };
  }

  private static double cosine(double t) {
    double c = Math.cos((t + 0.008) / 1.008 * Math.PI / 2);
    return c * c;
  }

  /** As torch computes it: from both ends, in single precision. */
  static float[] linspace(double first, double last, int count) {
    float[] values = new float[count];
    float a = (float) first;
    float b = (float) last;
    float step = count > 1 ? (b - a) / (count - 1) : 0;
    for (int i = 0; i < count; i++) {
      values[i] = i < count / 2 ? a + step * i : b - step * (count - 1 - i);
    }
    if (count == 1) {
      values[0] = a;
    }
    return values;
  }

  /** The last step becomes noise alone (arXiv 2305.08891, algorithm 1). */
  private static void rescale(float[] betas) {
    int n = betas.length;
    float[] roots = new float[n];
    double product = 1;
    for (int i = 0; i < n; i++) {
      product *= 1 - betas[i];
      roots[i] = (float) Math.sqrt((float) product);
    }
    float first = roots[0];
    float last = roots[n - 1];
    for (int i = 0; i < n; i++) {
      roots[i] = (roots[i] - last) * (first / (first - last));
    }
    for (int i = 0; i < n; i++) {
      float now = roots[i] * roots[i];
      float before = i == 0 ? 1 : roots[i - 1] * roots[i - 1];
      betas[i] = 1 - (i == 0 ? now : now / before);
    }
  }

  int trainSteps() {
    return alphas.length;
  }

  String spacing(String absent) {
    return json.stringAt("timestep_spacing", absent);
  }

  int offset() {
    return json.intAt("steps_offset", 0);
  }

  boolean flag(String key, boolean absent) {
    return json.boolAt(key, absent);
  }

  /** {@code noise_sampler_seed}, at least 0. */
  long noiseSeed(long absent) {
    if (!json.hasValue("noise_sampler_seed")) {
      return absent;
    }
    long seed = json.longAt("noise_sampler_seed");
    if (seed < 0) {
      throw json.at("noise_sampler_seed").unexpected("a number of at least 0");
    }
    return seed;
  }

  /** The spacing of sigmas the file asks for, or null. */
  @Nullable String sigmas() {
    for (String kind : new String[] {"karras", "exponential", "beta"}) {
      if (json.boolAt("use_" + kind + "_sigmas", false)) {
        return kind;
      }
    }
    return null;
  }

  /** The ratio of noise to picture at each training step. */
  double[] noiseRatios() {
    double[] ratios = new double[alphas.length];
    for (int i = 0; i < ratios.length; i++) {
      // In single precision, as the reference has it.
      ratios[i] = (float) Math.sqrt((1 - alphas[i]) / alphas[i]);
    }
    return ratios;
  }
}
