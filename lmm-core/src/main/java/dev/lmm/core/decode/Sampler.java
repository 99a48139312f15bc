package dev.lmm.core.decode;

import dev.lmm.EngineException;
import java.util.SplittableRandom;

/** Narrows scores as asked and draws from what is left. For one answer. */
final class Sampler {
  private final GenerationOptions options;
  private final SplittableRandom random;

  Sampler(GenerationOptions options, long seed) {
    this.options = options;
    this.random = new SplittableRandom(seed);
  }

  /**
   * Takes a token.
   *
   * @param scores processed; changed
   * @return its id
   */
  int choose(float[] scores) {
    if (!options.sample()) {
      int best = Logits.argMax(scores);
      requireSome(scores[best]);
      return best;
    }
    warp(scores);
    return draw(scores);
  }

  /** Temperature, top-k, top-p, min-p, in place; what falls away becomes negative infinity. */
  void warp(float[] scores) {
    float temperature = options.temperature();
    if (temperature != 1) {
      for (int i = 0; i < scores.length; i++) {
        scores[i] /= temperature;
      }
    }
    if (options.topK() > 0 && options.topK() < scores.length) {
      float least = kthLargest(scores, options.topK());
      keep(scores, least);
    }
    if (options.topP() < 1) {
      topP(scores, options.topP());
    }
    if (options.minP() > 0) {
      minP(scores, options.minP());
    }
  }

  private int draw(float[] scores) {
    int best = Logits.argMax(scores);
    float max = scores[best];
    requireSome(max);
    double sum = 0;
    for (float score : scores) {
      sum += Math.exp(score - max);
    }
    double left = random.nextDouble() * sum;
    for (int i = 0; i < scores.length; i++) {
      double weight = Math.exp(scores[i] - max);
      if (weight > 0 && left < weight) {
        return i;
      }
      left -= weight;
    }
    return best; // rounding ate the last crumb
  }

  private static void requireSome(float max) {
    if (!(max > Float.NEGATIVE_INFINITY && max < Float.POSITIVE_INFINITY)) {
      throw new EngineException(
          "No token can follow: the largest score is "
              + max
              + "; the temperature may be too small for a float, or every token is banned");
    }
  }

  private static void keep(float[] scores, float least) {
    for (int i = 0; i < scores.length; i++) {
      if (scores[i] < least) {
        scores[i] = Float.NEGATIVE_INFINITY;
      }
    }
  }

  /** The k-th largest value, by a heap of the k largest whose root is the smallest of them. */
  private static float kthLargest(float[] scores, int k) {
    float[] heap = new float[k];
    System.arraycopy(scores, 0, heap, 0, k);
    for (int i = k / 2 - 1; i >= 0; i--) {
      sink(heap, i, k);
    }
    for (int i = k; i < scores.length; i++) {
      if (scores[i] > heap[0]) {
        heap[0] = scores[i];
        sink(heap, 0, k);
      }
    }
    return heap[0];
  }

  private static void sink(float[] heap, int at, int size) {
    float value = heap[at];
    while (2 * at + 1 < size) {
      int child = 2 * at + 1;
      if (child + 1 < size && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= value) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = value;
  }

  /**
   * Keeps the likeliest tokens until they reach the probability: a token falls away if those
   * likelier than it reach it already. Works from the top with a heap, for few are usually taken.
   */
  private static void topP(float[] scores, float p) {
    float max = scores[Logits.argMax(scores)];
    int size = 0;
    int[] heap = new int[scores.length];
    double sum = 0;
    for (int i = 0; i < scores.length; i++) {
      if (scores[i] > Float.NEGATIVE_INFINITY) {
        heap[size++] = i;
        sum += Math.exp(scores[i] - max);
      }
    }
    for (int i = size / 2 - 1; i >= 0; i--) {
      sinkLargest(heap, scores, i, size);
    }
    double above = 0;
    while (size > 0 && (above == 0 || above < p * sum)) {
      above += Math.exp(scores[heap[0]] - max);
      heap[0] = heap[--size];
      sinkLargest(heap, scores, 0, size);
    }
    for (int i = 0; i < size; i++) {
      scores[heap[i]] = Float.NEGATIVE_INFINITY;
    }
  }

  /** Larger scores go up; where equal the later id, as a stable ascending sort has it. */
  private static void sinkLargest(int[] heap, float[] scores, int at, int size) {
    if (size == 0) {
      return;
    }
    int value = heap[at];
    while (2 * at + 1 < size) {
      int child = 2 * at + 1;
      if (child + 1 < size && above(scores, heap[child + 1], heap[child])) {
        child++;
      }
      if (!above(scores, heap[child], value)) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = value;
  }

  private static boolean above(float[] scores, int a, int b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a > b);
  }

  private static void minP(float[] scores, float share) {
    float max = scores[Logits.argMax(scores)];
    for (int i = 0; i < scores.length; i++) {
      if (Math.exp(scores[i] - max) < share) {
        scores[i] = Float.NEGATIVE_INFINITY;
      }
    }
  }
}
