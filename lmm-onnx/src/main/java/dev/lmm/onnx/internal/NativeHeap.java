package dev.lmm.onnx.internal;

import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.management.JMException;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the memory of closed programs back to the system. On Linux the C library keeps what is
 * freed for later; for packed weights that is as much as the model itself. The JDK can tell it to
 * let go.
 */
final class NativeHeap {
  private static final Logger LOG = LoggerFactory.getLogger(NativeHeap.class);

  /**
   * After the last close, so that a process about to end does not pay, nor one that loads again.
   */
  private static final long DELAY_SECONDS = 1;

  private static final boolean LINUX =
      System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux");

  private static final AtomicBoolean PENDING = new AtomicBoolean();

  private NativeHeap() {}

  /** Trims the heap in a moment, on a thread of its own. */
  @SuppressWarnings("FutureReturnValueIgnored") // nobody waits for it, and it reports for itself
  static void trimSoon() {
    if (LINUX && PENDING.compareAndSet(false, true)) {
      Later.THREAD.schedule(NativeHeap::trim, DELAY_SECONDS, TimeUnit.SECONDS);
    }
  }

  private static final class Later {
    static final ScheduledExecutorService THREAD =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "lmm-native-heap");
              thread.setDaemon(true);
              return thread;
            });
  }

  private static void trim() {
    PENDING.set(false);
    try {
      ManagementFactory.getPlatformMBeanServer()
          .invoke(
              new ObjectName("com.sun.management:type=DiagnosticCommand"),
              "systemTrimNativeHeap",
              new Object[0],
              new String[0]);
    } catch (JMException | RuntimeException e) {
      // An older JDK, or one with another C library: the memory serves the next load.
      LOG.debug("freed native memory stays with the process: {}", e.toString());
    }
  }
}
