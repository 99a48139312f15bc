package dev.lmm.core.family;

import dev.lmm.Check;
import dev.lmm.Embeddings;
import dev.lmm.FileEmbedding;
import dev.lmm.FilesOptions;
import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.ProgressListener;
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
 * Files on their way to embeddings: decoded and prepared ahead of the model, in bounded memory.
 *
 * @param <P> a picture prepared for the model
 */
final class FileStream<P> {
  private final EncoderBackend<P> backend;
  private final Iterator<Path> files;
  private final FilesOptions options;
  private final Consumer<FileEmbedding> consumer;
  private final Deque<Future<Prepared<P>>> pending = new ArrayDeque<>();

  /** A file's picture, prepared, or why not. */
  private record Prepared<P>(
      Path file, @Nullable P picture, int width, int height, @Nullable ImageException failure) {}

  FileStream(
      EncoderBackend<P> backend,
      Iterator<Path> files,
      FilesOptions options,
      Consumer<FileEmbedding> consumer) {
    this.backend = backend;
    this.files = files;
    this.options = options;
    this.consumer = consumer;
  }

  void run() {
    long done = 0;
    try {
      while (true) {
        Threads.check(options.cancellation());
        prepareAhead();
        if (pending.isEmpty()) {
          return;
        }
        List<Prepared<P>> batch = new ArrayList<>(options.batchSize());
        while (batch.size() < options.batchSize() && !pending.isEmpty()) {
          batch.add(Threads.await(pending.remove()));
          prepareAhead();
        }
        deliver(batch);
        done += batch.size();
        ProgressListener progress = options.progress();
        if (progress != null) {
          progress.progress(done, -1);
        }
      }
    } finally {
      pending.forEach(task -> task.cancel(false));
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

  private void deliver(List<Prepared<P>> batch) {
    List<P> pictures = new ArrayList<>(batch.size());
    for (Prepared<P> file : batch) {
      P picture = file.picture();
      if (picture != null) {
        pictures.add(picture);
      }
    }
    float[] encoded =
        pictures.isEmpty() ? new float[0] : backend.encodeImages(pictures, options.cancellation());
    Embeddings vectors = new Embeddings(pictures.size(), backend.dimension(), encoded).normalized();
    int next = 0;
    for (Prepared<P> file : batch) {
      float[] vector = file.picture() == null ? null : vectors.vector(next++);
      consumer.accept(
          new FileEmbedding(file.file(), vector, file.width(), file.height(), file.failure()));
    }
  }
}
