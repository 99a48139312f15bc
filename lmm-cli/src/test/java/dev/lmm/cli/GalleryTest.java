package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.InvalidRequestException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What the gallery does when one of its parts fails. */
class GalleryTest {
  @Test
  void thePartBesideFailsAsItself() {
    AtomicBoolean written = new AtomicBoolean();
    assertThatThrownBy(
            () ->
                Gallery.sideBySide(
                    () -> written.set(true),
                    () -> {
                      throw new InvalidRequestException("no such model");
                    }))
        .isExactlyInstanceOf(InvalidRequestException.class)
        .hasMessage("no such model");
    assertThat(written).isTrue();
  }

  @Test
  void theOtherPartIsOverWhenOneHasFailed() {
    CountDownLatch failing = new CountDownLatch(1);
    AtomicBoolean over = new AtomicBoolean();
    assertThatThrownBy(
            () ->
                Gallery.sideBySide(
                    () -> {
                      failing.countDown();
                      throw new InvalidRequestException("no such model");
                    },
                    () -> {
                      await(failing);
                      over.set(true);
                    }))
        .isExactlyInstanceOf(InvalidRequestException.class);
    assertThat(over).isTrue();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
