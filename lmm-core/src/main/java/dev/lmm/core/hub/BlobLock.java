package dev.lmm.core.hub;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a blob from being downloaded twice at once, by threads and by processes.
 *
 * <p>The lock is the Python client's: the same file, and on Linux the same call ({@link Flock}), so
 * that each waits for the other. Where that call cannot be made, it is Java's own, which the Python
 * client sees on Windows and macOS; on Linux both may then fetch the same blob at once. Nothing
 * depends on the lock but that: partial files have other names than the Python client's, and
 * finished ones are moved into place whole.
 */
final class BlobLock implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BlobLock.class);
  private static final Map<Path, Threads> THREADS = new ConcurrentHashMap<>();
  private static final long POLL_MILLIS = 50;

  private final Threads threads;
  private final @Nullable SystemLock system;

  private BlobLock(Threads threads, @Nullable SystemLock system) {
    this.threads = threads;
    this.system = system;
  }

  /** The lock among the threads of this process, forgotten by the last that uses it. */
  private static final class Threads extends ReentrantLock {
    private static final long serialVersionUID = 1L;
    private final transient Path key;
    private int users;

    private Threads(Path key) {
      this.key = key;
    }

    static Threads of(Path file) {
      return Objects.requireNonNull(
          THREADS.compute(
              file.toAbsolutePath().normalize(),
              (key, known) -> {
                Threads threads = known == null ? new Threads(key) : known;
                threads.users++;
                return threads;
              }));
    }

    void leave(boolean taken) {
      if (taken) {
        unlock();
      }
      THREADS.compute(key, (same, known) -> --users == 0 ? null : this);
    }
  }

  /** A lock that other processes see, free or taken; closing it gives it up. */
  interface SystemLock extends Closeable {
    /**
     * Takes it if it is free.
     *
     * @return false if another has it
     * @throws IOException if the file system knows no such locks
     */
    boolean tryLock() throws IOException;
  }

  /** Java's own. */
  private record RecordLock(FileChannel channel) implements SystemLock {
    @Override
    public boolean tryLock() throws IOException {
      try {
        return channel.tryLock() != null;
      } catch (OverlappingFileLockException e) {
        // Another class loader of this process has it.
        return false;
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  /** Waits for a lock until it is there or the wait is cancelled. */
  static BlobLock take(Path file, @Nullable Cancellation cancellation) throws IOException {
    Files.createDirectories(file.getParent());
    Threads threads = Threads.of(file);
    SystemLock system = null;
    boolean taken = false;
    try {
      while (!threads.tryLock(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        check(cancellation);
      }
      taken = true;
      system = open(file);
      long told = System.nanoTime();
      while (true) {
        check(cancellation);
        boolean free;
        try {
          free = system.tryLock();
        } catch (IOException e) {
          LOG.debug("{} cannot be locked; the download goes into a file of its own", file, e);
          system.close();
          return new BlobLock(threads, null);
        }
        if (free) {
          return new BlobLock(threads, system);
        }
        if (System.nanoTime() - told > 10_000_000_000L) {
          told = System.nanoTime();
          LOG.info("Waiting for another process that downloads the same file ({})", file);
        }
        Thread.sleep(POLL_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      release(threads, system, taken);
      throw new CancelledException("The download was interrupted", e);
    } catch (IOException | RuntimeException e) {
      release(threads, system, taken);
      throw e;
    }
  }

  private static SystemLock open(Path file) throws IOException {
    create(file);
    SystemLock flock = Flock.open(file);
    // Not both: on network file systems the two calls are one lock, and would wait for each other.
    return flock != null
        ? flock
        : new RecordLock(
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE));
  }

  /** Makes the lock file, for others of its group too, as the Python client does. */
  static void create(Path file) throws IOException {
    try {
      Files.createFile(file);
    } catch (FileAlreadyExistsException e) {
      LOG.trace("{} is there", file);
      return;
    }
    try {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-r--"));
    } catch (IOException | UnsupportedOperationException e) {
      LOG.debug("{} keeps the permissions it was made with", file, e);
    }
  }

  private static void check(@Nullable Cancellation cancellation) {
    if (cancellation != null) {
      cancellation.check();
    }
  }

  private static void release(Threads threads, @Nullable SystemLock system, boolean taken) {
    try {
      if (system != null) {
        system.close();
      }
    } catch (IOException e) {
      LOG.debug("A lock file could not be closed", e);
    } finally {
      threads.leave(taken);
    }
  }

  /** How many files' locks threads hold or wait for. */
  static int inUse() {
    return THREADS.size();
  }

  /** Whether other processes that ask are kept out. */
  boolean isExclusive() {
    return system != null;
  }

  @Override
  public void close() {
    release(threads, system, true);
  }
}
