package dev.lmm;

import java.util.Arrays;

/** The assignment of rows to columns of least cost, by shortest augmenting paths. */
final class Assignment {
  private Assignment() {}

  /**
   * Assigns.
   *
   * @param cost [rows][columns], finite, no more rows than columns
   * @return the column of each row, all different
   */
  static int[] of(double[][] cost) {
    int rows = cost.length;
    int columns = rows == 0 ? 0 : cost[0].length;
    double[] u = new double[rows + 1];
    double[] v = new double[columns + 1];
    // Row of each column, from 1; 0 is nobody, and column 0 where each search begins.
    int[] rowOf = new int[columns + 1];
    int[] from = new int[columns + 1];
    for (int row = 1; row <= rows; row++) {
      rowOf[0] = row;
      int at = 0;
      double[] least = new double[columns + 1];
      Arrays.fill(least, Double.POSITIVE_INFINITY);
      boolean[] seen = new boolean[columns + 1];
      do {
        seen[at] = true;
        int current = rowOf[at];
        double delta = Double.POSITIVE_INFINITY;
        int next = 0;
        for (int j = 1; j <= columns; j++) {
          if (seen[j]) {
            continue;
          }
          double reduced = cost[current - 1][j - 1] - u[current] - v[j];
          if (reduced < least[j]) {
            least[j] = reduced;
            from[j] = at;
          }
          if (least[j] < delta) {
            delta = least[j];
            next = j;
          }
        }
        for (int j = 0; j <= columns; j++) {
          if (seen[j]) {
            u[rowOf[j]] += delta;
            v[j] -= delta;
          } else {
            least[j] -= delta;
          }
        }
        at = next;
      } while (rowOf[at] != 0);
      while (at != 0) {
        rowOf[at] = rowOf[from[at]];
        at = from[at];
      }
    }
    int[] result = new int[rows];
    for (int j = 1; j <= columns; j++) {
      if (rowOf[j] != 0) {
        result[rowOf[j] - 1] = j - 1;
      }
    }
    return result;
  }
}
