package dev.lmm.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.ClosedException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RunGateTest {
  @Test
  void closeWaitsForRunsAndRefusesLaterOnes() throws Exception {
    RunGate gate = new RunGate("graph g");
    gate.enter();
    gate.enter();
    CompletableFuture<Boolean> closing = CompletableFuture.supplyAsync(gate::close);
    while (!gate.isClosed()) {
      Thread.onSpinWait();
    }
    assertThatThrownBy(gate::enter)
        .isInstanceOf(ClosedException.class)
        .hasMessage("graph g is closed; load it again to use it");
    gate.leave();
    assertThat(closing).isNotDone();
    gate.leave();
    assertThat(closing.get(60, TimeUnit.SECONDS)).isTrue();
    assertThat(gate.close()).isFalse();
  }

  @Test
  void anInterruptStopsTheRunFromTheInterruptingThread() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    CompletableFuture<String> outcome = new CompletableFuture<>();
    Thread runner =
        new Thread(
            () -> {
              try (RunWatch watch = new RunWatch(null, stopped::countDown)) {
                running.countDown();
                while (stopped.getCount() > 0) {
                  Thread.onSpinWait();
                }
                watch.check();
                outcome.complete("not stopped");
              } catch (CancelledException e) {
                outcome.complete(e.getMessage() + " " + Thread.currentThread().isInterrupted());
              }
            },
            "runner");
    runner.start();
    running.await();
    runner.interrupt();
    assertThat(outcome.get(60, TimeUnit.SECONDS))
        .isEqualTo("The run was stopped: thread runner was interrupted true");
  }

  @Test
  void callsBackOnceAndNeverAfterClose() {
    AtomicInteger calls = new AtomicInteger();
    Cancellation cancellation = new Cancellation();
    try (RunWatch watch = new RunWatch(cancellation, calls::incrementAndGet)) {
      watch.check();
      cancellation.cancel();
      Thread.currentThread().interrupt();
      assertThat(calls).hasValue(1);
      assertThatThrownBy(watch::check).isInstanceOf(CancelledException.class);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    Cancellation late = new Cancellation();
    new RunWatch(late, calls::incrementAndGet).close();
    late.cancel();
    assertThat(calls).hasValue(1);
  }

  @Test
  void anEarlierInterruptStopsAtOnce() {
    AtomicInteger calls = new AtomicInteger();
    Thread.currentThread().interrupt();
    try (RunWatch watch = new RunWatch(null, calls::incrementAndGet)) {
      assertThat(calls).hasValue(1);
      assertThatThrownBy(watch::check).isInstanceOf(CancelledException.class);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }
}
