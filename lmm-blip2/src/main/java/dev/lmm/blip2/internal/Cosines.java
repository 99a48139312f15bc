package dev.lmm.blip2.internal;

import dev.lmm.core.engine.Tensor;

/** What image-text contrast compares: vectors of length 1, and how near they are. */
final class Cosines {
  private Cosines() {}

  /** Rows of the last axis, each of length 1. */
  static double[][] normalized(Tensor tensor) {
    float[] values = tensor.toFloats();
    int width = (int) tensor.shape()[tensor.shape().length - 1];
    double[][] rows = new double[values.length / width][width];
    for (int r = 0; r < rows.length; r++) {
      double squares = 0;
      for (int i = 0; i < width; i++) {
        double value = values[r * width + i];
        rows[r][i] = value;
        squares += value * value;
      }
      double length = Math.max(Math.sqrt(squares), 1e-12); // as torch does
      for (int i = 0; i < width; i++) {
        rows[r][i] /= length;
      }
    }
    return rows;
  }

  /** The cosine of a text with the query that fits best. */
  static double best(double[][] queries, double[] text) {
    double best = Double.NEGATIVE_INFINITY;
    for (double[] query : queries) {
      double cosine = 0;
      for (int i = 0; i < text.length; i++) {
        cosine += query[i] * text[i];
      }
      // NaN stays.
      best = Math.max(best, cosine);
    }
    return best;
  }
}
