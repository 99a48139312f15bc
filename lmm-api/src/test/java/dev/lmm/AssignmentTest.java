package dev.lmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Against every possible assignment. */
class AssignmentTest {
  @Test
  void nothingIsAssignedToNothing() {
    assertThat(Assignment.of(new double[0][])).isEmpty();
  }

  @Test
  void noOtherAssignmentCostsLess() {
    Random random = new Random(4);
    for (int round = 0; round < 500; round++) {
      int rows = 1 + random.nextInt(5);
      int columns = rows + random.nextInt(3);
      double[][] cost = new double[rows][columns];
      for (double[] row : cost) {
        for (int j = 0; j < columns; j++) {
          row[j] = random.nextInt(8) == 0 ? 1e6 : random.nextDouble() * 3 - 1;
        }
      }
      int[] assigned = Assignment.of(cost);
      assertThat(assigned).doesNotHaveDuplicates();
      double sum = 0;
      for (int i = 0; i < rows; i++) {
        sum += cost[i][assigned[i]];
      }
      assertThat(sum).isCloseTo(least(cost, 0, new boolean[columns]), within(1e-6));
    }
  }

  private static double least(double[][] cost, int row, boolean[] taken) {
    if (row == cost.length) {
      return 0;
    }
    double least = Double.POSITIVE_INFINITY;
    for (int j = 0; j < taken.length; j++) {
      if (!taken[j]) {
        taken[j] = true;
        least = Math.min(least, cost[row][j] + least(cost, row + 1, taken));
        taken[j] = false;
      }
    }
    return least;
  }
}
