package dev.lmm;

import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A request to compare pictures with texts. Immutable: every option gives a new request.
 *
 * <p>Defaults: 16 texts together, no cancellation, no progress.
 */
public final class MatchRequest {
  /** Texts computed together if nothing else is said. */
  public static final int DEFAULT_BATCH = 16;

  private final Function<MatchRequest, List<List<Match>>> runner;
  private final int batchSize;
  private final @Nullable Cancellation cancellation;
  private final @Nullable ProgressListener progress;

  /**
   * A request with default options; for implementations of {@link Matcher}.
   *
   * @param runner carries the request out
   */
  public MatchRequest(Function<MatchRequest, List<List<Match>>> runner) {
    this(Check.notNull(runner, "runner"), DEFAULT_BATCH, null, null);
  }

  private MatchRequest(
      Function<MatchRequest, List<List<Match>>> runner,
      int batchSize,
      @Nullable Cancellation cancellation,
      @Nullable ProgressListener progress) {
    this.runner = runner;
    this.batchSize = batchSize;
    this.cancellation = cancellation;
    this.progress = progress;
  }

  /**
   * Sets how many texts are computed together.
   *
   * @param size at least 1
   * @return a new request
   */
  public MatchRequest batchSize(int size) {
    Check.that(size >= 1, "batchSize: is " + size + "; expected at least 1");
    return new MatchRequest(runner, size, cancellation, progress);
  }

  /**
   * Lets a switch stop the run.
   *
   * @param value the switch
   * @return a new request
   */
  public MatchRequest cancelledBy(Cancellation value) {
    return new MatchRequest(runner, batchSize, Check.notNull(value, "cancellation"), progress);
  }

  /**
   * Listens to progress.
   *
   * @param listener called after each picture, with the number of pictures
   * @return a new request
   */
  public MatchRequest onProgress(ProgressListener listener) {
    return new MatchRequest(runner, batchSize, cancellation, Check.notNull(listener, "listener"));
  }

  /**
   * The same request, carried out by something around what carries it out now: to measure, to
   * limit, to try again.
   *
   * @param around gets what carries the request out, gives what shall
   * @return a new request
   */
  public MatchRequest around(UnaryOperator<Function<MatchRequest, List<List<Match>>>> around) {
    return new MatchRequest(
        Check.notNull(around.apply(runner), "around"), batchSize, cancellation, progress);
  }

  /**
   * Compares.
   *
   * @return for each picture, one match for each text, in the order they were given
   * @throws InvalidRequestException if a text is longer than the model reads
   * @throws CancelledException if the run was cancelled or its thread interrupted
   * @throws ClosedException if the model was closed
   */
  public List<List<Match>> run() {
    return runner.apply(this);
  }

  /**
   * Texts computed together.
   *
   * @return at least 1
   */
  public int batchSize() {
    return batchSize;
  }

  /**
   * What stops the run.
   *
   * @return the switch, or null
   */
  public @Nullable Cancellation cancellation() {
    return cancellation;
  }

  /**
   * Who listens.
   *
   * @return the listener, or null
   */
  public @Nullable ProgressListener progress() {
    return progress;
  }
}
