package dev.lmm.core.engine;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import java.io.IOException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import org.jspecify.annotations.Nullable;

/**
 * Watches over one run, so that a cancellation or an interrupt of the running thread stops it: both
 * call back at once, even while the thread is inside native code. Made, used and closed by the
 * running thread.
 *
 * <pre>{@code
 * try (RunWatch watch = new RunWatch(options.cancellation(), () -> native.terminate())) {
 *   native.run();
 * } catch (NativeException e) {
 *   watch.check(); // if it was stopped, that is the failure to report
 *   throw ...
 * }
 * }</pre>
 */
public final class RunWatch implements AutoCloseable {
  private final Runnable stop;
  private final Interruptible interruptible = new Interruptible();
  private final @Nullable Cancellation cancellation;
  private final Cancellation.@Nullable Registration registration;
  private boolean over;

  /**
   * Begins to watch. If the run is already cancelled, or the thread already interrupted, calls back
   * at once.
   *
   * @param cancellation of the run, or null
   * @param stop makes the run end soon; quick, not throwing, called by any thread, at most once,
   *     and never after {@link #close}
   */
  public RunWatch(@Nullable Cancellation cancellation, Runnable stop) {
    this.stop = stop;
    this.cancellation = cancellation;
    interruptible.start();
    this.registration = cancellation == null ? null : cancellation.onCancel(this::stop);
  }

  private synchronized void stop() {
    if (!over) {
      over = true;
      stop.run();
    }
  }

  /**
   * Throws if the run was stopped. The thread's interrupt stays pending.
   *
   * @throws CancelledException saying why
   */
  public void check() {
    if (cancellation != null) {
      cancellation.check();
    }
    checkInterrupt();
  }

  /**
   * Throws if the current thread is interrupted. The interrupt stays pending.
   *
   * @throws CancelledException if it is
   */
  public static void checkInterrupt() {
    if (Thread.currentThread().isInterrupted()) {
      throw new CancelledException(
          "The run was stopped: thread " + Thread.currentThread().getName() + " was interrupted");
    }
  }

  /** Stops watching. Harmless twice. */
  @Override
  public void close() {
    if (registration != null) {
      registration.close();
    }
    interruptible.finish();
    synchronized (this) {
      over = true;
    }
  }

  /**
   * The JDK tells nobody of an interrupt but interruptible channels: while a thread is between
   * begin and end of one, interrupting it closes the channel, on the interrupting thread.
   */
  private final class Interruptible extends AbstractInterruptibleChannel {
    void start() {
      begin();
    }

    void finish() {
      try {
        end(true);
      } catch (IOException interrupted) {
        // The interrupt stays pending; check() reports it.
      }
    }

    @Override
    protected void implCloseChannel() {
      stop();
    }
  }
}
