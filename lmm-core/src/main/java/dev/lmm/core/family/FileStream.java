package dev.lmm.core.family;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.Check;
import dev.lmm.Embeddings;
import dev.lmm.FileEmbedding;
import dev.lmm.FilesOptions;
import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.ProgressListener;
import dev.lmm.core.engine.RunOptions;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Files on their way to embeddings: decoded and prepared ahead of the model, in bounded memory. A
 * model that is fastest with several runs at once is given parts of a batch to run side by side,
 * and never waits for a batch to end before it begins the next.
 */
final class FileStream<P> {
  /** A part of a batch of fewer pictures would leave the model's products too small. */
  private static final int FEWEST = 8;

  private final EncoderBackend<P> backend;
  private final Iterator<Path> files;
  private final FilesOptions options;
  private final Consumer<FileEmbedding> consumer;
  private final int sideBySide;
  private final int partSize;
  private final Cancellation stop = new Cancellation();
  private final RunOptions how;
  private final Deque<Future<Prepared<P>>> pending = new ArrayDeque<>();
  private final Deque<Future<Part<P>>> running = new ArrayDeque<>();
  private int leftOfBatch;
  private long done;

  /** A file's picture, prepared, or why not. */
  private record Prepared<P>(
      Path file, @Nullable P picture, int width, int height, @Nullable ImageException failure) {}

  /** A part of a batch with its vectors, of which pictures that failed have none. */
  private record Part<P>(List<Prepared<P>> files, boolean endsBatch, Embeddings vectors) {}

  FileStream(
      EncoderBackend<P> backend,
      Iterator<Path> files,
      FilesOptions options,
      Consumer<FileEmbedding> consumer) {
    this.backend = backend;
    this.files = files;
    this.options = options;
    this.consumer = consumer;
    int batch = options.batchSize();
    this.sideBySide = backend.sideBySide();
    this.how = new RunOptions(null, stop, sideBySide > 1);
    int parts = Math.max(1, Math.min(sideBySide, batch / FEWEST));
    this.partSize = (batch + parts - 1) / parts;
  }

  void run() {
    Cancellation given = options.cancellation();
    Cancellation.Registration link = given == null ? () -> {} : given.onCancel(stop::cancel);
    try {
      while (true) {
        Threads.check(given);
        prepareAhead();
        if (!pending.isEmpty() && running.size() < sideBySide) {
          begin();
        } else if (!running.isEmpty()) {
          deliver(Threads.await(running.remove()));
        } else {
          return;
        }
      }
    } catch (CancelledException e) {
      // What was stopped says only that it was; the caller's own switch knows why.
      Threads.check(given);
      throw e;
    } finally {
      link.close();
      pending.forEach(task -> task.cancel(false));
      if (!running.isEmpty()) {
        stop.cancel();
        running.forEach(Threads::awaitEnd);
      }
    }
  }

  /** Two batches ahead keep the decoders busy while one is computed; more only takes memory. */
  private void prepareAhead() {
    while (pending.size() < 2 * options.batchSize() && files.hasNext()) {
      Path file = Check.notNull(files.next(), "files: an element");
      pending.add(Threads.prepare(() -> read(file)));
    }
  }

  private Prepared<P> read(Path file) {
    try {
      Image image = Image.read(file);
      return new Prepared<>(file, backend.prepare(image), image.width(), image.height(), null);
    } catch (ImageException e) {
      return new Prepared<>(file, null, 0, 0, e);
    }
  }

  private void begin() {
    if (leftOfBatch == 0) {
      leftOfBatch = options.batchSize();
    }
    List<Prepared<P>> part = new ArrayList<>(partSize);
    while (part.size() < partSize && leftOfBatch > 0 && !pending.isEmpty()) {
      part.add(Threads.await(pending.remove()));
      leftOfBatch--;
      prepareAhead();
    }
    boolean endsBatch = leftOfBatch == 0 || pending.isEmpty();
    if (sideBySide > 1) {
      running.add(Threads.encode(() -> encoded(part, endsBatch)));
    } else {
      deliver(encoded(part, endsBatch));
    }
  }

  private Part<P> encoded(List<Prepared<P>> files, boolean endsBatch) {
    List<P> pictures = new ArrayList<>(files.size());
    for (Prepared<P> file : files) {
      P picture = file.picture();
      if (picture != null) {
        pictures.add(picture);
      }
    }
    int dimension = backend.dimension();
    float[] vectors = pictures.isEmpty() ? new float[0] : backend.encodeImages(pictures, how);
    return new Part<>(
        files, endsBatch, new Embeddings(pictures.size(), dimension, vectors).normalized());
  }

  private void deliver(Part<P> part) {
    int next = 0;
    for (Prepared<P> file : part.files()) {
      float[] vector = file.picture() == null ? null : part.vectors().vector(next++);
      consumer.accept(
          new FileEmbedding(file.file(), vector, file.width(), file.height(), file.failure()));
    }
    done += part.files().size();
    ProgressListener progress = options.progress();
    if (progress != null && part.endsBatch()) {
      progress.progress(done, -1);
    }
  }
}
