package dev.lmm.core.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class WorkersTest {
  @Test
  void everyItemIsDoneOnceAlsoWhenCallsNest() {
    AtomicIntegerArray done = new AtomicIntegerArray(400);
    Workers.forBands(
        20,
        1,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            int row = i * 20;
            Workers.forBands(
                20,
                1,
                (first, end) -> {
                  for (int k = first; k < end; k++) {
                    done.incrementAndGet(row + k);
                  }
                });
          }
        });
    for (int i = 0; i < 400; i++) {
      assertThat(done.get(i)).isEqualTo(1);
    }
    Workers.forBands(0, 1, (from, to) -> done.set(0, 9));
    assertThat(done.get(0)).isEqualTo(1);
  }

  @Test
  void aFailureReachesTheCaller() {
    assertThatThrownBy(
            () ->
                Workers.forBands(
                    100,
                    1,
                    (from, to) -> {
                      throw new IllegalStateException("band");
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("band");
  }
}
