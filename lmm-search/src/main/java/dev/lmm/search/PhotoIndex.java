package dev.lmm.search;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.Check;
import dev.lmm.ClosedException;
import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.LmmException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.IndexSearcher;
import org.jspecify.annotations.Nullable;

/**
 * The pictures of a folder, found by what is on them. Embeddings are kept on disk, in Apache
 * Lucene's vector index, so that a picture is embedded once.
 *
 * <pre>{@code
 * try (Encoder siglip = Models.encoder("google/siglip2-base-patch16-224").load();
 *     PhotoIndex photos = PhotoIndex.open(siglip, folder)) {
 *   photos.update().run();
 *   photos.search("snow on mountains").run().forEach(found -> System.out.println(found.photo().file()));
 * }
 * }</pre>
 *
 * <p>The index knows the model and the precision it was made with and refuses any other. It may be
 * searched by any number of processes, while one of them updates it.
 *
 * <p>Thread-safe: searches run side by side, updates one after the other. The encoder stays its
 * owner's, and must be open as long as this is used.
 */
public final class PhotoIndex implements AutoCloseable {
  private static final int LONGEST_NAME = 80;

  private final Encoder encoder;
  private final Path folder;
  private final Path realFolder;
  private final IndexFolder index;
  private final SketchedParts sketches = new SketchedParts();
  private final ReentrantLock updating = new ReentrantLock();
  private final List<FolderWatch> watches = new CopyOnWriteArrayList<>();
  private @Nullable ModelStamp stamp;
  private @Nullable Cancellation running;
  private volatile boolean closed;

  private PhotoIndex(Encoder encoder, Path folder, Path realFolder, IndexFolder index) {
    this.encoder = encoder;
    this.folder = folder;
    this.realFolder = realFolder;
    this.index = index;
  }

  /**
   * Opens the index of a folder, which lies beside it: for {@code Pictures} and the model {@code
   * tiny-clip} in single precision, {@code Pictures.lmm-index/tiny-clip-fp32}. Each model has an
   * index of its own there. What does not exist yet is made by the first update.
   *
   * @param encoder any model that embeds pictures, and texts if they are to be found by text
   * @param folder the folder of pictures; nothing is written in it
   * @return the index
   * @throws InvalidRequestException if the folder is none
   * @throws IndexException if the index is broken or of another model
   */
  public static PhotoIndex open(Encoder encoder, Path folder) {
    Check.notNull(encoder, "encoder");
    Path absolute = Check.notNull(folder, "folder").toAbsolutePath().normalize();
    Path name = absolute.getFileName();
    if (name == null) {
      throw new InvalidRequestException(
          folder + ": has no folder beside it; say where the index shall lie");
    }
    String model =
        encoder.info().id().replaceAll("[^\\p{L}\\p{N}._-]+", "-").replaceAll("^[-.]+", "");
    model = model.substring(Math.max(0, model.length() - LONGEST_NAME));
    Path beside = absolute.resolveSibling(name + ".lmm-index");
    String precision = encoder.info().precision().name().toLowerCase(Locale.ROOT);
    return open(encoder, folder, beside.resolve(model + "-" + precision));
  }

  /**
   * Opens an index that lies elsewhere.
   *
   * @param encoder any model that embeds pictures, and texts if they are to be found by text
   * @param folder the folder of pictures; nothing is written in it
   * @param indexFolder holds the index and nothing else; made by the first update if it does not
   *     exist
   * @return the index
   * @throws InvalidRequestException if the folder is none
   * @throws IndexException if the index is broken, of another model or of another folder, or if
   *     something else is there
   */
  public static PhotoIndex open(Encoder encoder, Path folder, Path indexFolder) {
    Check.notNull(encoder, "encoder");
    Check.notNull(folder, "folder");
    Check.notNull(indexFolder, "indexFolder");
    if (!Files.isDirectory(folder)) {
      throw new InvalidRequestException(
          folder
              + (Files.exists(folder)
                  ? ": is no folder; expected a folder of pictures"
                  : ": there is no such folder; expected a folder of pictures"));
    }
    Path realFolder;
    try {
      realFolder = folder.toRealPath();
    } catch (IOException e) {
      throw new InvalidRequestException(folder + ": cannot be read: " + e, e);
    }
    IndexFolder index = IndexFolder.open(indexFolder);
    PhotoIndex photos = new PhotoIndex(encoder, folder, realFolder, index);
    try {
      if (index.exists()) {
        photos.checkModel();
      }
      return photos;
    } catch (RuntimeException e) {
      index.close();
      throw e;
    }
  }

  private void checkModel() {
    stamp().check(index.path(), index.data(), realFolder);
  }

  private synchronized ModelStamp stamp() {
    if (stamp == null) {
      stamp = ModelStamp.of(encoder);
    }
    return stamp;
  }

  /**
   * The folder of pictures.
   *
   * @return as it was given
   */
  public Path folder() {
    return folder;
  }

  /**
   * Where the index lies.
   *
   * @return the folder, which may not exist before the first update
   */
  public Path indexFolder() {
    return index.path();
  }

  /**
   * How many pictures the index holds.
   *
   * @return 0 before the first update
   */
  public int size() {
    open();
    return index.exists() ? index.read(searcher -> searcher.getIndexReader().numDocs()) : 0;
  }

  /**
   * What the index knows of a picture.
   *
   * @param file below the folder, or a path relative to it
   * @return the picture; empty if it is not in the index
   */
  public Optional<Photo> photo(Path file) {
    open();
    String path = below(file);
    if (!index.exists()) {
      return Optional.empty();
    }
    return index.read(
        searcher -> {
          Known known = new Known(searcher);
          int number = known.find(Documents.PATH, path);
          return number < 0
              ? Optional.empty()
              : Optional.of(Documents.photo(known.stored(number), folder));
        });
  }

  /**
   * Notes something about a picture, in place of what was noted before, to filter by: {@link
   * PhotoFilter#tag}. The picture is not embedded again.
   *
   * @param file below the folder, or a path relative to it
   * @param tags names and values
   * @throws InvalidRequestException if the picture is not in the index
   * @throws IndexException if the index is being updated elsewhere
   */
  public void tag(Path file, Map<String, String> tags) {
    String path = below(file);
    Check.notNull(tags, "tags").forEach(Documents::checkTag);
    alone(
        (writer, searcher) -> {
          Known known = new Known(searcher);
          int number = known.find(Documents.PATH, path);
          if (number < 0) {
            throw new InvalidRequestException(
                file + ": is not in the index; is it a picture below " + folder + "?");
          }
          Document stored = known.stored(number);
          writer.updateDocument(
              new Term(Documents.PATH, path),
              Documents.again(
                  stored,
                  Documents.seen(stored),
                  tags,
                  stored.get(Documents.HASH),
                  known.vector(number)));
          writer.commit();
          return number;
        });
  }

  private String below(Path file) {
    Path absolute = folder.toAbsolutePath().normalize();
    Path resolved = Check.notNull(file, "file").toAbsolutePath().normalize();
    if (!resolved.startsWith(absolute)) {
      resolved = absolute.resolve(file).normalize();
    }
    if (!resolved.startsWith(absolute)) {
      throw new InvalidRequestException(file + ": is not below " + folder);
    }
    return FolderWalk.below(absolute, resolved);
  }

  /**
   * A request to bring the index up to the folder: new pictures are added, changed ones embedded
   * again, those that are gone removed.
   *
   * @return the request, to be run
   */
  public UpdateRequest update() {
    return new UpdateRequest(this);
  }

  @SuppressWarnings("try") // takes the listener back
  UpdateReport run(UpdateRequest request) {
    Cancellation stop = new Cancellation();
    Cancellation given = request.cancellation();
    try (Cancellation.Registration ignored =
        given == null ? () -> {} : given.onCancel(stop::cancel)) {
      return alone(
          (writer, searcher) -> {
            running(stop);
            return new Updater(
                    encoder, folder, realFolder, index.path(), request, stop, writer, searcher)
                .run();
          });
    } catch (CancelledException e) {
      if (given != null) {
        given.check(); // it knows better why: by hand, or a deadline
      }
      if (closed) {
        throw new ClosedException("The index " + index.path() + " was closed", e);
      }
      throw e;
    } finally {
      running(null);
    }
  }

  private synchronized void running(@Nullable Cancellation stop) {
    running = stop;
    if (closed && stop != null) {
      stop.cancel();
    }
  }

  FolderWatch watch(
      UpdateRequest request, Consumer<UpdateReport> updated, Consumer<LmmException> failed) {
    open();
    FolderWatch watch = new FolderWatch(realFolder, index.path(), request, updated, failed);
    watches.add(watch);
    watch.start();
    return watch;
  }

  /** Changes the index, as it is now. */
  @FunctionalInterface
  private interface Change<T> {
    T apply(IndexWriter writer, IndexSearcher before) throws IOException;
  }

  private <T> T alone(Change<T> change) {
    open();
    updating.lock();
    try {
      open();
      if (!Files.isDirectory(realFolder)) {
        throw new IndexException(folder + ": the folder of pictures is gone; nothing was changed");
      }
      IndexWriter writer = index.writer(stamp().written(realFolder));
      try {
        index.written();
        checkModel(); // another process may have made the index meanwhile
        return index.readWith(searcher -> change.apply(writer, searcher));
      } finally {
        close(writer);
        index.written();
        if (closed) {
          index.close(); // by something that was called meanwhile
        }
      }
    } finally {
      updating.unlock();
    }
  }

  /** Gives the lock back. An interrupted thread could not wait for merges to stop. */
  private void close(IndexWriter writer) {
    boolean interrupted = Thread.interrupted();
    try {
      writer.close();
    } catch (IOException e) {
      throw index.told(e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * A request for the pictures that fit a text.
   *
   * @param text in any language that the model knows
   * @return the request, to be run
   */
  public SearchRequest search(String text) {
    Check.that(!Check.notNull(text, "text").isBlank(), "text: is blank; expected what to look for");
    return new SearchRequest(request -> search(encoder.embed(text), request));
  }

  /**
   * A request for the pictures that look like one.
   *
   * @param image any picture, in the index or not
   * @return the request, to be run
   */
  public SearchRequest search(Image image) {
    Check.notNull(image, "image");
    return new SearchRequest(request -> search(encoder.embed(image), request));
  }

  /**
   * A request for the pictures nearest to a vector of the model: a mean of several queries, a
   * picture moved by the difference of two texts.
   *
   * @param vector of the model's dimension, of any length but 0
   * @return the request, to be run
   */
  public SearchRequest search(float[] vector) {
    int dimension = encoder.dimension();
    Check.that(
        Check.notNull(vector, "vector").length == dimension,
        "vector: has " + vector.length + " numbers; expected " + dimension);
    float[] unit = unit(vector);
    return new SearchRequest(request -> search(unit, request));
  }

  private static float[] unit(float[] vector) {
    double squares = 0;
    for (float v : vector) {
      squares += (double) v * v;
    }
    double length = Math.sqrt(squares);
    Check.that(
        length > 0 && Double.isFinite(length), "vector: has length " + length + "; expected more");
    float[] unit = new float[vector.length];
    for (int i = 0; i < unit.length; i++) {
      unit[i] = (float) (vector[i] / length);
    }
    return unit;
  }

  private List<Found> search(float[] query, SearchRequest request) {
    open();
    return index.read(
        searcher -> {
          if (searcher.getIndexReader().numDocs() == 0) {
            throw new IndexException(
                index.path()
                    + ": holds no pictures; run update() after pictures were put into "
                    + folder);
          }
          return Searching.search(searcher, query, request, folder, sketches);
        });
  }

  /**
   * Reads the whole index and compares its checksums. Opening an index finds missing and cut files;
   * this finds single bytes that a disk has lost.
   *
   * @throws IndexException if something is broken
   */
  public void check() {
    open();
    if (index.exists()) {
      index.read(
          searcher -> {
            for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
              leaf.reader().checkIntegrity();
            }
            return searcher;
          });
    }
  }

  boolean isClosed() {
    return closed;
  }

  private void open() {
    if (closed) {
      throw new ClosedException("The index " + index.path() + " was closed");
    }
  }

  /**
   * Closes the index; an update that runs is stopped, what it has embedded is kept. The encoder
   * stays open. Harmless twice.
   */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      if (running != null) {
        running.cancel();
      }
    }
    watches.forEach(FolderWatch::close);
    if (updating.isHeldByCurrentThread()) {
      return; // called back by an update, which closes when it has stopped
    }
    updating.lock();
    try {
      index.close();
    } finally {
      updating.unlock();
    }
  }
}
