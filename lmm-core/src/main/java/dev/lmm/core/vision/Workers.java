package dev.lmm.core.vision;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The process's one small pool for work on pixels: bands of rows, shared by every caller.
 *
 * <p>The calling thread works too, and takes whatever no helper has begun; so calls may nest, and a
 * busy pool only means that the caller does its own work. Threads are daemons and end after a
 * minute without work. Thread-safe.
 */
public final class Workers {
  /** System property: how many threads work on one picture, the caller included. */
  public static final String THREADS_PROPERTY = "lmm.picture.threads";

  private static final int THREADS =
      Math.max(
          1,
          Math.min(
              64,
              Integer.getInteger(THREADS_PROPERTY, Runtime.getRuntime().availableProcessors())));

  private Workers() {}

  /** Work on a range of items. */
  @FunctionalInterface
  public interface Band {
    /**
     * Works on some items. Called by several threads at once, never twice for one item.
     *
     * @param from the first item
     * @param to one past the last item
     */
    void run(int from, int to);
  }

  /**
   * How many threads work together, the caller included: the number of processors, or what the
   * system property {@value #THREADS_PROPERTY} says.
   *
   * @return at least 1
   */
  public static int threads() {
    return THREADS;
  }

  /**
   * Splits {@code count} items into bands and returns when all are done. What a band throws is
   * thrown here, the first if several do; the bands not yet begun are then left out.
   *
   * @param count how many items, at least 0
   * @param grain the fewest items worth a band of their own, at least 1
   * @param band the work
   */
  public static void forBands(int count, int grain, Band band) {
    int bands = (int) Math.min(count / Math.max(1, grain), THREADS * 4L);
    if (bands <= 1 || THREADS == 1) {
      if (count > 0) {
        band.run(0, count);
      }
      return;
    }
    Job job = new Job(count, bands, band);
    for (int i = Math.min(bands, THREADS) - 1; i > 0; i--) {
      Pool.EXECUTOR.execute(job);
    }
    job.run();
    job.await();
  }

  /** One call: helpers and the caller draw band numbers until none is left. */
  private static final class Job implements Runnable {
    private final int count;
    private final int bands;
    private final Band band;
    private final AtomicInteger next = new AtomicInteger();
    private final CountDownLatch done;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    Job(int count, int bands, Band band) {
      this.count = count;
      this.bands = bands;
      this.band = band;
      this.done = new CountDownLatch(bands);
    }

    @Override
    public void run() {
      for (int i = next.getAndIncrement(); i < bands; i = next.getAndIncrement()) {
        try {
          if (failure.get() == null) {
            band.run((int) ((long) count * i / bands), (int) ((long) count * (i + 1) / bands));
          }
        } catch (Throwable t) {
          failure.compareAndSet(null, t);
        } finally {
          done.countDown();
        }
      }
    }

    /** An interrupt is remembered, not obeyed: helpers may still be writing the caller's arrays. */
    void await() {
      boolean interrupted = false;
      while (true) {
        try {
          done.await();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      Throwable thrown = failure.get();
      if (thrown instanceof RuntimeException e) {
        throw e;
      }
      if (thrown instanceof Error e) {
        throw e;
      }
    }
  }

  /** Made when the first picture needs it. */
  private static final class Pool {
    static final ThreadPoolExecutor EXECUTOR = make();

    private static ThreadPoolExecutor make() {
      AtomicInteger number = new AtomicInteger();
      ThreadPoolExecutor pool =
          new ThreadPoolExecutor(
              THREADS - 1,
              THREADS - 1,
              60,
              TimeUnit.SECONDS,
              new LinkedBlockingQueue<>(),
              task -> {
                Thread thread = new Thread(task, "lmm-pictures-" + number.incrementAndGet());
                thread.setDaemon(true);
                return thread;
              });
      pool.allowCoreThreadTimeOut(true);
      return pool;
    }
  }
}
