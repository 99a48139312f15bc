package dev.lmm;

import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A request to order pictures by a text, or texts by a picture. Immutable: every option gives a new
 * request.
 *
 * <p>Defaults: the best 16 are looked at again; 16 texts together, no cancellation, no progress.
 */
public final class RetrieveRequest {
  /** How many are looked at again if nothing else is said. */
  public static final int DEFAULT_RERANKED = 16;

  private final Function<RetrieveRequest, List<Retrieved>> runner;
  private final int reranked;
  private final int batchSize;
  private final @Nullable Cancellation cancellation;
  private final @Nullable ProgressListener progress;

  /**
   * A request with default options; for implementations of {@link Matcher}.
   *
   * @param runner carries the request out
   */
  public RetrieveRequest(Function<RetrieveRequest, List<Retrieved>> runner) {
    this(Check.notNull(runner, "runner"), DEFAULT_RERANKED, MatchRequest.DEFAULT_BATCH, null, null);
  }

  private RetrieveRequest(
      Function<RetrieveRequest, List<Retrieved>> runner,
      int reranked,
      int batchSize,
      @Nullable Cancellation cancellation,
      @Nullable ProgressListener progress) {
    this.runner = runner;
    this.reranked = reranked;
    this.batchSize = batchSize;
    this.cancellation = cancellation;
    this.progress = progress;
  }

  /**
   * How many of the best by similarity are looked at again, together with what is searched for.
   *
   * @param count 0 for none; above the number searched for all
   * @return a new request
   */
  public RetrieveRequest rerank(int count) {
    Check.that(count >= 0, "rerank: is " + count + "; expected at least 0");
    return new RetrieveRequest(runner, count, batchSize, cancellation, progress);
  }

  /**
   * Sets how many texts are computed together.
   *
   * @param size at least 1
   * @return a new request
   */
  public RetrieveRequest batchSize(int size) {
    Check.that(size >= 1, "batchSize: is " + size + "; expected at least 1");
    return new RetrieveRequest(runner, reranked, size, cancellation, progress);
  }

  /**
   * Lets a switch stop the run.
   *
   * @param value the switch
   * @return a new request
   */
  public RetrieveRequest cancelledBy(Cancellation value) {
    return new RetrieveRequest(
        runner, reranked, batchSize, Check.notNull(value, "cancellation"), progress);
  }

  /**
   * Listens to progress.
   *
   * @param listener called after each picture or batch of texts, first of all, then of the best
   * @return a new request
   */
  public RetrieveRequest onProgress(ProgressListener listener) {
    return new RetrieveRequest(
        runner, reranked, batchSize, cancellation, Check.notNull(listener, "listener"));
  }

  /**
   * The same request, carried out by something around what carries it out now: to measure, to
   * limit, to try again.
   *
   * @param around gets what carries the request out, gives what shall
   * @return a new request
   */
  public RetrieveRequest around(UnaryOperator<Function<RetrieveRequest, List<Retrieved>>> around) {
    return new RetrieveRequest(
        Check.notNull(around.apply(runner), "around"), reranked, batchSize, cancellation, progress);
  }

  /**
   * Searches.
   *
   * @return all that was searched, best first: those looked at again by falling probability, then
   *     the others by falling similarity; equals in the order they were given
   * @throws InvalidRequestException if a text is longer than the model reads
   * @throws CancelledException if the run was cancelled or its thread interrupted
   * @throws ClosedException if the model was closed
   */
  public List<Retrieved> run() {
    return runner.apply(this);
  }

  /**
   * How many are looked at again.
   *
   * @return 0 or more
   */
  public int reranked() {
    return reranked;
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
