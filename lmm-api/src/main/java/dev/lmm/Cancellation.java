package dev.lmm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A switch that stops runs: by {@link #cancel()} from any thread, or by itself after a deadline.
 * Once thrown it stays so. Thread-safe.
 */
public final class Cancellation {
  private final List<Runnable> listeners = new ArrayList<>();
  private @Nullable String reason;

  /** A switch that somebody throws. */
  public Cancellation() {}

  /**
   * A switch that throws itself.
   *
   * @param time from now, positive
   * @return the switch
   */
  public static Cancellation after(Duration time) {
    Check.that(
        !Check.notNull(time, "time").isNegative() && !time.isZero(),
        "time: is " + time + "; expected a positive duration");
    Cancellation cancellation = new Cancellation();
    ScheduledFuture<?> alarm =
        Alarms.TIMER.schedule(
            () -> cancellation.cancel("the deadline of " + time.toMillis() + " ms has passed"),
            time.toNanos(),
            TimeUnit.NANOSECONDS);
    cancellation.onCancel(() -> alarm.cancel(false));
    return cancellation;
  }

  /** Stops every run this was given to, now and later. Harmless twice. */
  public void cancel() {
    cancel("cancelled by the caller");
  }

  private void cancel(String why) {
    List<Runnable> called;
    synchronized (listeners) {
      if (reason != null) {
        return;
      }
      reason = why;
      called = List.copyOf(listeners);
      listeners.clear();
    }
    called.forEach(Runnable::run);
  }

  /**
   * Whether it was thrown.
   *
   * @return true once cancelled
   */
  public boolean isCancelled() {
    synchronized (listeners) {
      return reason != null;
    }
  }

  /**
   * Throws if this was thrown.
   *
   * @throws CancelledException saying why
   */
  public void check() {
    synchronized (listeners) {
      if (reason != null) {
        throw new CancelledException("The run was stopped: " + reason);
      }
    }
  }

  /**
   * Calls back when thrown; at once if it already was. For engines.
   *
   * @param listener quick and not throwing
   * @return forgets the listener when closed
   */
  public Registration onCancel(Runnable listener) {
    boolean now;
    synchronized (listeners) {
      now = reason != null;
      if (!now) {
        listeners.add(listener);
      }
    }
    if (now) {
      listener.run();
    }
    return () -> {
      synchronized (listeners) {
        listeners.remove(listener);
      }
    };
  }

  /** A listener that can be taken back. */
  @FunctionalInterface
  public interface Registration extends AutoCloseable {
    @Override
    void close();
  }

  /** One daemon thread for all deadlines, started with the first. */
  private static final class Alarms {
    static final ScheduledExecutorService TIMER =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "lmm-deadlines");
              thread.setDaemon(true);
              return thread;
            });
  }
}
