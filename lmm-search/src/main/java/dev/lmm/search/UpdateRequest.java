package dev.lmm.search;

import dev.lmm.Cancellation;
import dev.lmm.Check;
import dev.lmm.EmbedRequest;
import dev.lmm.LmmException;
import dev.lmm.ProgressListener;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A request to bring an index up to its folder. Immutable: every option gives a new request.
 *
 * <p>Defaults: files whose names end as pictures' do and do not begin with a dot; a file counts as
 * unchanged if its size and time of last change are; batches of 16; no tags.
 */
public final class UpdateRequest {
  private static final Set<String> ENDINGS =
      Set.of("jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "webp", "tif", "tiff");

  private final PhotoIndex index;
  private Predicate<Path> accepted = UpdateRequest::named;
  private boolean byContent;
  private int batchSize = EmbedRequest.DEFAULT_BATCH;
  private @Nullable Function<Path, Map<String, String>> describer;
  private @Nullable Cancellation cancellation;
  private @Nullable ProgressListener progress;
  private @Nullable Consumer<SkippedFile> skippedListener;

  UpdateRequest(PhotoIndex index) {
    this.index = index;
  }

  private UpdateRequest copy() {
    UpdateRequest copy = new UpdateRequest(index);
    copy.accepted = accepted;
    copy.byContent = byContent;
    copy.batchSize = batchSize;
    copy.describer = describer;
    copy.cancellation = cancellation;
    copy.progress = progress;
    copy.skippedListener = skippedListener;
    return copy;
  }

  private static boolean named(Path file) {
    String name = file.getFileName().toString();
    String ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    return ENDINGS.contains(ending);
  }

  /**
   * Chooses which files are tried. Pictures in the index that are no longer chosen are removed.
   *
   * @param choice takes a file below the folder; quick
   * @return a new request
   */
  public UpdateRequest accepting(Predicate<Path> choice) {
    UpdateRequest copy = copy();
    copy.accepted = Check.notNull(choice, "choice");
    return copy;
  }

  /**
   * Compares files by their content (SHA-256) instead of size and time: each update reads every
   * file, but pictures that were only copied or touched are not embedded again, and none is missed
   * that was changed without a trace. The first such update embeds all pictures once more.
   *
   * @return a new request
   */
  public UpdateRequest byContent() {
    UpdateRequest copy = copy();
    copy.byContent = true;
    return copy;
  }

  /**
   * Sets how many pictures are computed together.
   *
   * @param size at least 1
   * @return a new request
   */
  public UpdateRequest batchSize(int size) {
    Check.that(size >= 1, "batchSize: is " + size + "; expected at least 1");
    UpdateRequest copy = copy();
    copy.batchSize = size;
    return copy;
  }

  /**
   * Notes something about each picture that is added or changed, to filter by: {@link
   * PhotoFilter#tag}. Without this, a changed picture keeps its tags.
   *
   * @param describer takes a file, gives names and values; called on the thread that runs the
   *     request
   * @return a new request
   */
  public UpdateRequest describedBy(Function<Path, Map<String, String>> describer) {
    UpdateRequest copy = copy();
    copy.describer = Check.notNull(describer, "describer");
    return copy;
  }

  /**
   * Lets a switch stop the run. What was embedded until then stays in the index, and the next
   * update goes on from there.
   *
   * @param cancellation the switch
   * @return a new request
   */
  public UpdateRequest cancelledBy(Cancellation cancellation) {
    UpdateRequest copy = copy();
    copy.cancellation = Check.notNull(cancellation, "cancellation");
    return copy;
  }

  /**
   * Listens to progress.
   *
   * @param listener called after each batch, with the pictures done and to be done
   * @return a new request
   */
  public UpdateRequest onProgress(ProgressListener listener) {
    UpdateRequest copy = copy();
    copy.progress = Check.notNull(listener, "listener");
    return copy;
  }

  /**
   * Hears of every file and folder that cannot be read.
   *
   * @param listener called on the thread that runs the request
   * @return a new request
   */
  public UpdateRequest onSkipped(Consumer<SkippedFile> listener) {
    UpdateRequest copy = copy();
    copy.skippedListener = Check.notNull(listener, "listener");
    return copy;
  }

  /**
   * Runs: looks through the folder, removes what is gone, embeds what is new or changed.
   *
   * @return what was done
   * @throws IndexException if the index is broken, of another model, or being updated elsewhere; if
   *     it cannot be written
   * @throws dev.lmm.CancelledException if the run was cancelled or its thread interrupted
   * @throws dev.lmm.ClosedException if the index or the model was closed
   */
  public UpdateReport run() {
    return index.run(this);
  }

  /**
   * Updates now, and again whenever something changes in the folder or below it, half a second
   * after it has become quiet, on a thread of its own. Ends when the watch or the index is closed.
   *
   * @param updated hears of each update that found something, and of the first; quick
   * @param failed hears why an update failed; it is tried again 5 seconds later
   * @return the watch, to be closed
   * @throws IndexException if the folder cannot be watched
   */
  public FolderWatch watch(Consumer<UpdateReport> updated, Consumer<LmmException> failed) {
    return index.watch(this, Check.notNull(updated, "updated"), Check.notNull(failed, "failed"));
  }

  boolean isIndexClosed() {
    return index.isClosed();
  }

  Predicate<Path> accepted() {
    return accepted;
  }

  boolean isByContent() {
    return byContent;
  }

  int batchSize() {
    return batchSize;
  }

  @Nullable Function<Path, Map<String, String>> describer() {
    return describer;
  }

  @Nullable Cancellation cancellation() {
    return cancellation;
  }

  @Nullable ProgressListener progress() {
    return progress;
  }

  @Nullable Consumer<SkippedFile> skippedListener() {
    return skippedListener;
  }
}
