package dev.lmm.core.hub;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a blob from being downloaded twice at once, by threads and by processes.
 *
 * <p>The lock file is the one the Python client locks. On Windows and macOS each waits for the
 * other; on Linux it uses {@code flock}, which Java's record locks do not see, so that both may
 * fetch the same blob at once. Nothing depends on the lock but that: partial files have other names
 * than the Python client's, and finished ones are moved into place whole.
 */
final class BlobLock implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BlobLock.class);
  private static final Map<Path, ReentrantLock> THREADS = new ConcurrentHashMap<>();
  private static final long POLL_MILLIS = 50;

  private final ReentrantLock threads;
  private final @Nullable FileChannel channel;
  private final boolean shared;

  private BlobLock(ReentrantLock threads, @Nullable FileChannel channel, boolean shared) {
    this.threads = threads;
    this.channel = channel;
    this.shared = shared;
  }

  /** Waits for a lock until it is there or the wait is cancelled. */
  static BlobLock take(Path file, @Nullable Cancellation cancellation) throws IOException {
    Files.createDirectories(file.getParent());
    Path key = file.toAbsolutePath().normalize();
    ReentrantLock threads = THREADS.computeIfAbsent(key, path -> new ReentrantLock());
    FileChannel channel = null;
    boolean taken = false;
    try {
      while (!threads.tryLock(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        check(cancellation);
      }
      taken = true;
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      long told = System.nanoTime();
      while (true) {
        check(cancellation);
        FileLock lock;
        try {
          lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
          // Another class loader of this process has it.
          lock = null;
        } catch (IOException e) {
          LOG.debug("{} cannot be locked; the download goes into a file of its own", file, e);
          channel.close();
          return new BlobLock(threads, null, false);
        }
        if (lock != null) {
          BlobLock held = new BlobLock(threads, channel, true);
          channel = null;
          return held;
        }
        if (System.nanoTime() - told > 10_000_000_000L) {
          told = System.nanoTime();
          LOG.info("Waiting for another process that downloads the same file ({})", file);
        }
        Thread.sleep(POLL_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      release(threads, channel, taken);
      throw new CancelledException("The download was interrupted", e);
    } catch (IOException | RuntimeException e) {
      release(threads, channel, taken);
      throw e;
    }
  }

  private static void check(@Nullable Cancellation cancellation) {
    if (cancellation != null) {
      cancellation.check();
    }
  }

  private static void release(ReentrantLock threads, @Nullable FileChannel channel, boolean taken) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      LOG.debug("A lock file could not be closed", e);
    } finally {
      if (taken) {
        threads.unlock();
      }
    }
  }

  /** Whether other processes that ask are kept out. */
  boolean isExclusive() {
    return shared;
  }

  @Override
  public void close() {
    release(threads, channel, true);
  }
}
