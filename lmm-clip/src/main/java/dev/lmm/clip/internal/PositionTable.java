package dev.lmm.clip.internal;

import java.nio.FloatBuffer;

/**
 * Position embeddings of a grid of patches, interpolated from a square table: bilinear with
 * antialiasing, pixel centres at halves. Interpolation is linear in the table, so what is written
 * is the matrix that the table is multiplied with.
 */
final class PositionTable {
  private PositionTable() {}

  /**
   * Writes the matrix.
   *
   * @param side of the table
   * @param rows of the grid
   * @param columns of the grid
   * @param target takes {@code rows * columns * side * side} numbers from its position on
   */
  static void write(int side, int rows, int columns, FloatBuffer target) {
    float[][] vertical = weights(side, rows);
    float[][] horizontal = weights(side, columns);
    float[] line = new float[side * side];
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < columns; x++) {
        for (int i = 0; i < side; i++) {
          for (int j = 0; j < side; j++) {
            line[i * side + j] = vertical[y][i] * horizontal[x][j];
          }
        }
        target.put(line);
      }
    }
  }

  /** For each place of the result, how much of each of the table's places. */
  private static float[][] weights(int in, int out) {
    double scale = (double) in / out;
    double support = Math.max(scale, 1);
    float[][] weights = new float[out][in];
    for (int i = 0; i < out; i++) {
      double center = scale * (i + 0.5);
      int first = Math.max(0, (int) (center - support + 0.5));
      int end = Math.min(in, (int) (center + support + 0.5));
      double sum = 0;
      double[] w = new double[in];
      for (int j = first; j < end; j++) {
        w[j] = Math.max(0, 1 - Math.abs((j - center + 0.5) / support));
        sum += w[j];
      }
      for (int j = first; j < end; j++) {
        weights[i][j] = (float) (w[j] / sum);
      }
    }
    return weights;
  }
}
