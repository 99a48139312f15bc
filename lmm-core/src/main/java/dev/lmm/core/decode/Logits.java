package dev.lmm.core.decode;

import dev.lmm.EngineException;
import java.util.ArrayList;
import java.util.List;

/** Arithmetic on one row of logits. */
final class Logits {
  private Logits() {}

  /** Index of the first largest. */
  static int argMax(float[] scores) {
    int best = 0;
    for (int i = 1; i < scores.length; i++) {
      if (scores[i] > scores[best]) {
        best = i;
      }
    }
    return best;
  }

  /**
   * The logarithm of the sum of all exponentials.
   *
   * @throws EngineException if a logit is no number, or none is finite
   */
  static double logSumExp(float[] logits) {
    float max = Float.NEGATIVE_INFINITY;
    boolean broken = false;
    for (float logit : logits) {
      broken |= Float.isNaN(logit);
      max = Math.max(max, logit);
    }
    if (broken || Float.isInfinite(max)) {
      throw new EngineException(
          "The model's logits are "
              + (broken ? "not numbers" : "infinite")
              + "; a half-precision model may have overflowed, try FP32 or BF16");
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return max + Math.log(sum);
  }

  /** log softmax, in place. */
  static void logSoftmax(float[] logits) {
    double normaliser = logSumExp(logits);
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) (logits[i] - normaliser);
    }
  }

  /** The likeliest tokens, in falling order, lower id first where equal. */
  static List<TokenChoice> top(float[] logits, double normaliser, int count) {
    List<TokenChoice> best = new ArrayList<>();
    for (int id : topIndices(logits, count)) {
      best.add(new TokenChoice(id, (float) (logits[id] - normaliser)));
    }
    return List.copyOf(best);
  }

  /** Indices of the largest, in falling order, lower index first where equal. */
  static int[] topIndices(float[] scores, int count) {
    int[] best = new int[Math.min(count, scores.length)];
    int held = 0;
    for (int i = 0; i < scores.length && best.length > 0; i++) {
      if (held == best.length && scores[i] <= scores[best[held - 1]]) {
        continue;
      }
      int at = held < best.length ? held++ : held - 1;
      while (at > 0 && scores[best[at - 1]] < scores[i]) {
        best[at] = best[at - 1];
        at--;
      }
      best[at] = i;
    }
    return best;
  }
}
