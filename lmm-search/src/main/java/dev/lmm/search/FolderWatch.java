package dev.lmm.search;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.ClosedException;
import dev.lmm.LmmException;
import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps an index up to its folder until it is closed: {@link UpdateRequest#watch}. What the system
 * says of changes only tells when to look; the look itself is an update like any other, so nothing
 * is lost if the system drops notes.
 */
public final class FolderWatch implements AutoCloseable {
  private static final long QUIET_MILLIS = 500;
  private static final long RETRY_MILLIS = 5_000;

  private final WatchService service;
  private final Path folder;
  private final Path indexFolder;
  private final UpdateRequest request;
  private final Cancellation stop = new Cancellation();
  private final Consumer<UpdateReport> updated;
  private final Consumer<LmmException> failed;
  private final Map<Path, WatchKey> watched = new HashMap<>();
  private final Thread thread;

  FolderWatch(
      Path folder,
      Path indexFolder,
      UpdateRequest request,
      Consumer<UpdateReport> updated,
      Consumer<LmmException> failed) {
    this.folder = folder;
    this.indexFolder = indexFolder;
    this.request = request.cancelledBy(stop);
    this.updated = updated;
    this.failed = failed;
    try {
      service = folder.getFileSystem().newWatchService();
      try {
        register();
      } catch (IOException | LmmException e) {
        service.close();
        throw e;
      }
    } catch (IOException e) {
      throw cannotWatch(e);
    }
    Cancellation given = request.cancellation();
    if (given != null) {
      given.onCancel(this::stop);
    }
    thread = new Thread(this::run, "lmm-photo-watch");
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  private IndexException cannotWatch(IOException e) {
    return new IndexException(
        folder
            + ": cannot be watched ("
            + e.getMessage()
            + "); on Linux, raise fs.inotify.max_user_watches to more than the folders there are,"
            + " or update every now and then instead",
        e);
  }

  /** Watches every folder that is there; one that was watched already stays so. */
  private void register() throws IOException {
    watched.values().removeIf(key -> !key.isValid());
    new FolderWalk(
            folder,
            indexFolder,
            file -> false,
            file -> {},
            directory -> {
              if (!watched.containsKey(directory)) {
                watched.put(
                    directory,
                    directory.register(
                        service,
                        StandardWatchEventKinds.ENTRY_CREATE,
                        StandardWatchEventKinds.ENTRY_MODIFY,
                        StandardWatchEventKinds.ENTRY_DELETE));
              }
            },
            unread -> {})
        .run();
  }

  private void run() {
    boolean first = true;
    boolean done = false;
    try {
      while (!stop.isCancelled()) {
        if (first || !done || awaitQuiet()) {
          done = update(first);
          first = first && !done;
          if (!done) {
            pause();
          }
        }
      }
    } catch (ClosedWatchServiceException e) {
      // closed: the end
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      closeService();
    }
  }

  /** Waits for a change, and until there was none for a while. */
  private boolean awaitQuiet() throws InterruptedException {
    take(service.take());
    for (@Nullable WatchKey more = poll(); more != null; more = poll()) {
      take(more);
    }
    return true;
  }

  private @Nullable WatchKey poll() throws InterruptedException {
    return service.poll(QUIET_MILLIS, TimeUnit.MILLISECONDS);
  }

  private static void take(WatchKey key) {
    key.pollEvents();
    key.reset();
  }

  /** After a failure: a change or some time, whichever comes first. */
  private void pause() throws InterruptedException {
    WatchKey key = service.poll(RETRY_MILLIS, TimeUnit.MILLISECONDS);
    if (key != null) {
      take(key);
    }
  }

  private boolean update(boolean first) {
    try {
      register();
      UpdateReport report = request.run();
      if (first || report.anything() || report.skipped() > 0) {
        updated.accept(report);
      }
      return true;
    } catch (CancelledException | ClosedException e) {
      if (!stop.isCancelled() && !request.isIndexClosed()) {
        failed.accept(e); // the model was closed: nothing more can come
      }
      stop.cancel();
      return true;
    } catch (LmmException e) {
      failed.accept(e);
      return false;
    } catch (IOException e) {
      failed.accept(cannotWatch(e));
      return false;
    }
  }

  private void stop() {
    stop.cancel();
    closeService();
  }

  private void closeService() {
    try {
      service.close();
    } catch (IOException e) {
      // Nothing is watched any more either way.
    }
  }

  /** Stops watching and waits for an update that runs, which is cancelled. Harmless twice. */
  @Override
  public void close() {
    stop();
    boolean interrupted = false;
    while (thread.isAlive() && thread != Thread.currentThread()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
