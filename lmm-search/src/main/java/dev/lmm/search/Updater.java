package dev.lmm.search;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.Check;
import dev.lmm.Encoder;
import dev.lmm.FileEmbedding;
import dev.lmm.FilesOptions;
import dev.lmm.LmmException;
import dev.lmm.ProgressListener;
import dev.lmm.search.Documents.Seen;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.IndexSearcher;
import org.jspecify.annotations.Nullable;

/**
 * One update: looks through the folder, removes what is gone, embeds what is new or another. What
 * was embedded is on the disk a minute later at the latest, so that a stopped update can go on.
 */
final class Updater {
  private static final long COMMIT_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final int HASH_BUFFER = 1 << 16;

  private final Encoder encoder;
  private final Path folder;
  private final Path realFolder;
  private final Path indexFolder;
  private final UpdateRequest request;
  private final Cancellation cancellation;
  private final IndexWriter writer;
  private final Known known;

  private final List<Pending> pending = new ArrayList<>();
  private final List<SkippedFile> firstSkipped = new ArrayList<>();
  private int added;
  private int changed;
  private int removed;
  private int unchanged;
  private int skipped;
  private int delivered;
  private long lastCommit = System.nanoTime();

  /**
   * A file to be embedded.
   *
   * @param hash of its content, if that is what is compared
   * @param before its number in the index, or -1
   */
  private record Pending(Seen seen, @Nullable String hash, int before) {}

  Updater(
      Encoder encoder,
      Path folder,
      Path realFolder,
      Path indexFolder,
      UpdateRequest request,
      Cancellation cancellation,
      IndexWriter writer,
      IndexSearcher before)
      throws IOException {
    this.encoder = encoder;
    this.folder = folder;
    this.realFolder = realFolder;
    this.indexFolder = indexFolder;
    this.request = request;
    this.cancellation = cancellation;
    this.writer = writer;
    this.known = new Known(before);
  }

  UpdateReport run() throws IOException {
    try {
      FolderWalk walk =
          new FolderWalk(
              realFolder, indexFolder, request.accepted(), this::see, f -> {}, this::skipInWalk);
      walk.run();
      known.unseen(
          path -> {
            if (!walk.mayBeThere(path)) {
              writer.deleteDocuments(new Term(Documents.PATH, path));
              removed++;
            }
          });
      embed();
      writer.commit();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (RuntimeException e) {
      keep();
      throw e;
    }
    Merging.finish(writer, cancellation);
    return new UpdateReport(added, changed, removed, unchanged, skipped, firstSkipped);
  }

  /** Commits what a run that was stopped has done. */
  private void keep() {
    boolean interrupted = Thread.interrupted(); // or nothing could be written
    try {
      if (writer.isOpen()) {
        writer.commit();
      }
    } catch (IOException e) {
      // Why the run stopped is the news; what could not be kept will be done again.
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void see(Seen file) throws IOException {
    cancellation.check();
    if (Thread.currentThread().isInterrupted()) {
      throw new CancelledException("The run was stopped: its thread was interrupted");
    }
    int same = known.find(Documents.STAMP, file.stamp());
    if (same >= 0 && !request.isByContent()) {
      known.seen(same);
      unchanged++;
      return;
    }
    int before = same >= 0 ? same : known.find(Documents.PATH, file.path());
    if (before >= 0) {
      known.seen(before);
    }
    String hash = request.isByContent() ? hash(realFolder.resolve(file.path())) : null;
    if (before >= 0 && hash != null) {
      Document stored = known.stored(before);
      if (hash.equals(stored.get(Documents.HASH))) {
        unchanged++;
        if (same < 0) {
          replace(
              file.path(),
              Documents.again(stored, file, Documents.tags(stored), hash, known.vector(before)));
        }
        return;
      }
    }
    pending.add(new Pending(file, hash, before));
  }

  /** SHA-256 of a file; null if it cannot be read, which is told when it is to be embedded. */
  private static @Nullable String hash(Path file) {
    try (InputStream content = Files.newInputStream(file)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[HASH_BUFFER];
      for (int n = content.read(buffer); n >= 0; n = content.read(buffer)) {
        digest.update(buffer, 0, n);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      return null;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private void embed() {
    if (pending.isEmpty()) {
      return;
    }
    ProgressListener progress = request.progress();
    FilesOptions options =
        new FilesOptions(
            request.batchSize(),
            cancellation,
            progress == null ? null : (done, total) -> progress.progress(done, pending.size()));
    List<Path> files = new ArrayList<>(pending.size());
    pending.forEach(p -> files.add(folder.resolve(p.seen().path())));
    encoder.embedFiles(files, options, this::take);
  }

  private void take(FileEmbedding result) {
    Pending item = pending.get(delivered++); // results come in order
    float[] vector = result.vector();
    try {
      if (vector == null || !isFinite(vector)) {
        LmmException failure = result.failure();
        String reason = failure == null ? null : failure.getMessage();
        skip(
            new SkippedFile(
                result.file(),
                reason == null ? result.file() + ": has no finite embedding" : reason));
        if (item.before() >= 0) {
          writer.deleteDocuments(new Term(Documents.PATH, item.seen().path()));
          removed++;
        }
      } else {
        replace(item.seen().path(), document(item, result, vector));
        if (item.before() >= 0) {
          changed++;
        } else {
          added++;
        }
      }
      if (System.nanoTime() - lastCommit > COMMIT_NANOS) {
        writer.commit();
        lastCommit = System.nanoTime();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Document document(Pending item, FileEmbedding result, float[] vector) throws IOException {
    LocalDateTime taken = TakenDate.of(result.file());
    if (taken == null) {
      taken = LocalDateTime.ofInstant(item.seen().time(), ZoneId.systemDefault());
    }
    return Documents.document(
        item.seen(),
        taken,
        result.width(),
        result.height(),
        tags(item, result.file()),
        item.hash(),
        vector);
  }

  private Map<String, String> tags(Pending item, Path file) throws IOException {
    Function<Path, Map<String, String>> describer = request.describer();
    if (describer != null) {
      return Check.notNull(describer.apply(file), "describedBy: what it gave for " + file);
    }
    return item.before() < 0 ? Map.of() : Documents.tags(known.stored(item.before()));
  }

  private void replace(String path, Document document) throws IOException {
    writer.updateDocument(new Term(Documents.PATH, path), document);
  }

  private static boolean isFinite(float[] vector) {
    for (float v : vector) {
      if (!Float.isFinite(v)) {
        return false;
      }
    }
    return true;
  }

  private void skipInWalk(SkippedFile file) {
    Path given = folder.resolve(realFolder.relativize(file.file()));
    skip(new SkippedFile(given, file.reason()));
  }

  private void skip(SkippedFile file) {
    skipped++;
    if (firstSkipped.size() < UpdateReport.MOST_SKIPPED) {
      firstSkipped.add(file);
    }
    Consumer<SkippedFile> listener = request.skippedListener();
    if (listener != null) {
      listener.accept(file);
    }
  }
}
