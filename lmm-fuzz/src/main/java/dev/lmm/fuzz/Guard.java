package dev.lmm.fuzz;

import com.sun.management.ThreadMXBean;
import dev.lmm.LmmException;
import java.lang.management.ManagementFactory;

/**
 * Judges one reading: it ends well, or with an exception of the library that says something, and
 * without much memory. Memory is what the reading thread allocates on the heap in all, whether it
 * keeps it or not; what native libraries take is not seen.
 */
final class Guard {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int LONGEST_MESSAGE = 4000;

  private Guard() {}

  /**
   * Runs a target once.
   *
   * @return whether the input was accepted
   * @throws AssertionError if the outcome is not one that is promised
   */
  static boolean accepts(Target target, byte[] input) {
    long most = 4L * input.length + target.allowance();
    Outcome outcome = run(target, input);
    if (outcome.allocated > most) {
      // The first reading may have loaded classes, and Jazzer may have instrumented them.
      outcome = run(target, input);
    }
    if (outcome.allocated > most) {
      throw new AssertionError(
          "allocates "
              + outcome.allocated
              + " bytes for "
              + input.length
              + "; at most "
              + most
              + " are promised");
    }
    return outcome.accepted;
  }

  private record Outcome(boolean accepted, long allocated) {}

  private static Outcome run(Target target, byte[] input) {
    boolean accepted;
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
    return new Outcome(accepted, THREADS.getCurrentThreadAllocatedBytes() - before);
  }
}
