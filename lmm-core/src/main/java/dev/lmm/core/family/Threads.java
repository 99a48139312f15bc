package dev.lmm.core.family;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Threads that decode and prepare pictures, for all encoders of the process. */
final class Threads {
  private static final ExecutorService PREPARING =
      Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors(), daemons());

  private Threads() {}

  private static ThreadFactory daemons() {
    AtomicInteger count = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, "lmm-prepare-" + count.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  /** Decodes or prepares a picture. */
  static <T> Future<T> prepare(Callable<T> task) {
    return PREPARING.submit(task);
  }

  /** The result, or the failure as it was thrown. */
  static <T> T await(Future<T> task) {
    try {
      return task.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("The run was stopped: its thread was interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Throws if the run is to stop. */
  static void check(@Nullable Cancellation cancellation) {
    if (cancellation != null) {
      cancellation.check();
    }
    if (Thread.currentThread().isInterrupted()) {
      throw new CancelledException("The run was stopped: its thread was interrupted");
    }
  }
}
