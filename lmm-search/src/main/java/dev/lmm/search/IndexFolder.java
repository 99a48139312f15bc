package dev.lmm.search;

import dev.lmm.CancelledException;
import dev.lmm.ClosedException;
import dev.lmm.LmmException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexFormatTooNewException;
import org.apache.lucene.index.IndexFormatTooOldException;
import org.apache.lucene.index.IndexNotFoundException;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.SearcherManager;
import org.apache.lucene.store.AlreadyClosedException;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.LockObtainFailedException;
import org.apache.lucene.util.ThreadInterruptedException;
import org.jspecify.annotations.Nullable;

/**
 * The folder that holds an index: opened, read and written, with what goes wrong told in the
 * library's own way. Thread-safe.
 */
final class IndexFolder implements AutoCloseable {
  /** Pictures are gathered in memory up to here, then written as a part of the index. */
  private static final double BUFFER_MEGABYTES = 64;

  /** Looking for what other processes wrote costs a millisecond, so not every search looks. */
  private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  private final Path path;
  private volatile long looked = System.nanoTime() - FRESH_NANOS;
  private @Nullable Directory directory;
  private @Nullable SearcherManager searchers;
  private boolean closed;

  private IndexFolder(Path path) {
    this.path = path;
  }

  /** Reads from a state of the index that stays as it is meanwhile. */
  @FunctionalInterface
  interface Reading<T> {
    T read(IndexSearcher searcher) throws IOException;
  }

  static IndexFolder open(Path path) {
    IndexFolder folder = new IndexFolder(path);
    try {
      if (Files.exists(path) && !Files.isDirectory(path)) {
        throw new IndexException(path + ": is a file; expected a folder for the index");
      }
      if (folder.holdsIndex()) {
        folder.openReaders();
      }
      return folder;
    } catch (IOException | RuntimeException e) {
      folder.close();
      throw folder.told(e);
    }
  }

  Path path() {
    return path;
  }

  synchronized boolean exists() {
    return searchers != null;
  }

  /** Whether there is an index; refuses a folder of something else. */
  private boolean holdsIndex() throws IOException {
    if (!Files.isDirectory(path)) {
      return false;
    }
    List<String> names;
    try (Stream<Path> files = Files.list(path)) {
      names = files.map(f -> f.getFileName().toString()).sorted().toList();
    }
    if (names.stream().anyMatch(name -> name.startsWith("segments_"))) {
      return true;
    }
    // What a process leaves that was stopped before its first word on the disk.
    List<String> foreign =
        names.stream()
            .filter(n -> !n.equals("write.lock") && !n.matches("pending_segments_.*|_[0-9a-z].*"))
            .toList();
    if (!foreign.isEmpty()) {
      throw new IndexException(
          path
              + ": holds "
              + foreign.get(0)
              + (foreign.size() > 1 ? " and more" : "")
              + ", and no index of pictures; give a new or empty folder for the index");
    }
    return false;
  }

  private synchronized void openReaders() throws IOException {
    if (directory == null) {
      directory = FSDirectory.open(path);
    }
    if (searchers == null) {
      searchers = new SearcherManager(directory, null);
    }
  }

  /** What the last commit says of the index. */
  Map<String, String> data() {
    return read(
        searcher -> ((DirectoryReader) searcher.getIndexReader()).getIndexCommit().getUserData());
  }

  /** Makes the next reading look for what was written. */
  void written() {
    looked = System.nanoTime() - FRESH_NANOS;
  }

  /** Reads the newest state, whoever wrote it; what another process wrote, 0.2 seconds later. */
  <T> T read(Reading<T> reading) {
    try {
      return reading(reading);
    } catch (IOException | RuntimeException e) {
      throw told(e);
    }
  }

  /** The same for work that calls code of others, whose exceptions are passed on as they are. */
  <T> T readWith(Reading<T> reading) {
    try {
      return reading(reading);
    } catch (IOException | AlreadyClosedException | ThreadInterruptedException e) {
      throw told(e);
    }
  }

  private <T> T reading(Reading<T> reading) throws IOException {
    SearcherManager manager = manager();
    long now = System.nanoTime();
    if (now - looked >= FRESH_NANOS) {
      looked = now; // first, or written() could be overwritten
      manager.maybeRefreshBlocking();
    }
    IndexSearcher searcher = manager.acquire();
    try {
      return reading.read(searcher);
    } finally {
      manager.release(searcher);
    }
  }

  private synchronized SearcherManager manager() {
    if (closed) {
      throw closedAlready();
    }
    if (searchers == null) {
      try {
        if (!holdsIndex()) {
          throw new IndexException(path + ": there is no index yet; run update() first");
        }
        openReaders(); // another process has made it
      } catch (IOException | RuntimeException e) {
        throw told(e);
      }
    }
    return searchers;
  }

  /**
   * A writer, alone of all processes. A new index begins with a commit that says what it is.
   *
   * @param data what it is
   */
  IndexWriter writer(Map<String, String> data) {
    try {
      holdsIndex();
      Directory files;
      synchronized (this) {
        if (closed) {
          throw closedAlready();
        }
        if (directory == null) {
          directory = FSDirectory.open(path);
        }
        files = directory;
      }
      IndexWriterConfig config = new IndexWriterConfig();
      config.setCodec(new VectorCodec());
      config.setRAMBufferSizeMB(BUFFER_MEGABYTES);
      config.setCommitOnClose(false);
      boolean made = !DirectoryReader.indexExists(files);
      IndexWriter writer = new IndexWriter(files, config);
      try {
        if (made) {
          writer.setLiveCommitData(data.entrySet());
          writer.commit();
        }
        openReaders();
      } catch (IOException | RuntimeException e) {
        writer.rollback();
        throw e;
      }
      return writer;
    } catch (IOException | RuntimeException e) {
      throw told(e);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    try {
      if (searchers != null) {
        searchers.close();
      }
      if (directory != null) {
        directory.close();
      }
    } catch (IOException e) {
      throw told(e);
    }
  }

  private ClosedException closedAlready() {
    return new ClosedException("The index " + path + " was closed");
  }

  /** What went wrong, in words that help. */
  LmmException told(Exception failure) {
    if (failure instanceof LmmException known) {
      return known;
    }
    if (failure instanceof LockObtainFailedException) {
      return new IndexException(
          path
              + ": is being updated, by another process or another PhotoIndex; wait until it has"
              + " finished, searching is possible meanwhile",
          failure);
    }
    if (failure instanceof AlreadyClosedException) {
      return new ClosedException("The index " + path + " was closed", failure);
    }
    if (failure instanceof ClosedByInterruptException
        || failure instanceof ThreadInterruptedException) {
      Thread.currentThread().interrupt();
      return new CancelledException("The run was stopped: its thread was interrupted", failure);
    }
    if (failure instanceof IndexFormatTooNewException
        || failure instanceof IndexFormatTooOldException) {
      return new IndexException(
          path
              + ": was written by another version of Lucene than 9; delete it to have it made"
              + " again",
          failure);
    }
    boolean broken =
        failure instanceof CorruptIndexException
            || failure instanceof IndexNotFoundException
            || failure instanceof EOFException
            || failure instanceof NoSuchFileException
            || failure instanceof RuntimeException;
    return new IndexException(
        path
            + (broken ? ": is broken (" : ": cannot be read or written (")
            + failure
            + (broken
                ? "); delete it to have it made again"
                : "); is the disk full, or not ours to write?"),
        failure);
  }
}
