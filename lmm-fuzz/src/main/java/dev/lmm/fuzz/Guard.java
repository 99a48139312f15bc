package dev.lmm.fuzz;

import com.sun.management.ThreadMXBean;
import dev.lmm.LmmException;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;

/**
 * Judges one reading: it ends well, or with an exception of the library that says something,
 * without much memory and within a second. Memory is what the reading thread allocates on the heap
 * in all, whether it keeps it or not; what native libraries take is not seen. Time is that of the
 * thread on a processor, which a busy machine does not prolong much; waiting has a bound of its
 * own.
 */
final class Guard {
  /** The longest a reading may compute: milliseconds. */
  static final long MOST_MILLIS = 1000;

  /** The longest it may take, waiting included: far more, as other programs hold it up. */
  static final long MOST_WAIT_MILLIS = 30_000;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int LONGEST_MESSAGE = 4000;

  // What else runs on a machine can hold up one reading, and a second, but hardly each.
  private static final int TRIES = 4;

  private Guard() {}

  /**
   * Runs a target once, and again where it took too much: the first reading may have loaded
   * classes, Jazzer may have instrumented them, and other programs may have had the processor.
   *
   * @return whether the input was accepted
   * @throws AssertionError if the outcome is not one that is promised
   */
  static boolean accepts(Target target, byte[] input) {
    return accepts(target, input, MOST_MILLIS, MOST_WAIT_MILLIS);
  }

  /** The same with other bounds of time, in milliseconds. */
  static boolean accepts(Target target, byte[] input, long mostMillis, long mostWaitMillis) {
    long most = 4L * input.length + target.allowance();
    Outcome best = run(target, input);
    for (int i = 1;
        i < TRIES
            && (best.allocated > most || best.millis > mostMillis || best.waited > mostWaitMillis);
        i++) {
      best = best.or(run(target, input));
    }
    if (best.allocated > most) {
      throw new AssertionError(
          "allocates "
              + best.allocated
              + " bytes for "
              + input.length
              + "; at most "
              + most
              + " are promised");
    }
    if (best.millis > mostMillis || best.waited > mostWaitMillis) {
      throw new AssertionError(
          "computes for "
              + best.millis
              + " ms in "
              + best.waited
              + ", "
              + TRIES
              + " times over; at most "
              + mostMillis
              + " in "
              + mostWaitMillis
              + " are promised");
    }
    return best.accepted;
  }

  private record Outcome(boolean accepted, long allocated, long millis, long waited) {
    /** The better of two readings of the same. */
    Outcome or(Outcome other) {
      return new Outcome(
          other.accepted,
          Math.min(allocated, other.allocated),
          Math.min(millis, other.millis),
          Math.min(waited, other.waited));
    }
  }

  private static Outcome run(Target target, byte[] input) {
    boolean accepted;
    long start = System.nanoTime();
    long computed = THREADS.getCurrentThreadCpuTime();
    long before = THREADS.getCurrentThreadAllocatedBytes();
    try {
      target.read(input);
      accepted = true;
    } catch (LmmException e) {
      accepted = false;
      String message = e.getMessage();
      if (message == null || message.isBlank() || message.length() > LONGEST_MESSAGE) {
        throw new AssertionError("an exception whose message is " + message, e);
      }
    } catch (RuntimeException e) {
      throw new AssertionError("an exception that is not the library's own: " + e, e);
    } catch (StackOverflowError | OutOfMemoryError e) {
      throw new AssertionError("an error: " + e, e);
    }
    return new Outcome(
        accepted,
        THREADS.getCurrentThreadAllocatedBytes() - before,
        TimeUnit.NANOSECONDS.toMillis(THREADS.getCurrentThreadCpuTime() - computed),
        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
  }
}
