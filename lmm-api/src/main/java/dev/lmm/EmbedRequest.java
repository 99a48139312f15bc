package dev.lmm;

import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A request for embeddings of many items. Immutable: every option gives a new request.
 *
 * <p>Defaults: vectors of length 1, batches of 16, no cancellation, no progress.
 */
public final class EmbedRequest {
  /** Items computed together if nothing else is said. */
  public static final int DEFAULT_BATCH = 16;

  private final Function<EmbedRequest, Embeddings> runner;
  private final boolean raw;
  private final int batchSize;
  private final @Nullable Cancellation cancellation;
  private final @Nullable ProgressListener progress;

  /**
   * A request with default options; for implementations of {@link Encoder}.
   *
   * @param runner carries the request out
   */
  public EmbedRequest(Function<EmbedRequest, Embeddings> runner) {
    this(runner, false, DEFAULT_BATCH, null, null);
  }

  private EmbedRequest(
      Function<EmbedRequest, Embeddings> runner,
      boolean raw,
      int batchSize,
      @Nullable Cancellation cancellation,
      @Nullable ProgressListener progress) {
    this.runner = runner;
    this.raw = raw;
    this.batchSize = batchSize;
    this.cancellation = cancellation;
    this.progress = progress;
  }

  /**
   * Leaves the vectors as the model gives them, not normalised.
   *
   * @return a new request
   */
  public EmbedRequest raw() {
    return new EmbedRequest(runner, true, batchSize, cancellation, progress);
  }

  /**
   * Sets how many items are computed together.
   *
   * @param size at least 1
   * @return a new request
   */
  public EmbedRequest batchSize(int size) {
    Check.that(size >= 1, "batchSize: is " + size + "; expected at least 1");
    return new EmbedRequest(runner, raw, size, cancellation, progress);
  }

  /**
   * Lets a switch stop the run.
   *
   * @param cancellation the switch
   * @return a new request
   */
  public EmbedRequest cancelledBy(Cancellation cancellation) {
    return new EmbedRequest(
        runner, raw, batchSize, Check.notNull(cancellation, "cancellation"), progress);
  }

  /**
   * Listens to progress.
   *
   * @param listener called after each batch
   * @return a new request
   */
  public EmbedRequest onProgress(ProgressListener listener) {
    return new EmbedRequest(
        runner, raw, batchSize, cancellation, Check.notNull(listener, "listener"));
  }

  /**
   * The same request, carried out by something around what carries it out now: to measure, to
   * limit, to try again.
   *
   * @param around gets what carries the request out, gives what shall
   * @return a new request
   */
  public EmbedRequest around(UnaryOperator<Function<EmbedRequest, Embeddings>> around) {
    return new EmbedRequest(
        Check.notNull(around.apply(runner), "around"), raw, batchSize, cancellation, progress);
  }

  /**
   * Runs.
   *
   * @return one vector for each item, in order
   * @throws CancelledException if the run was cancelled or its thread interrupted
   * @throws ClosedException if the model was closed
   */
  public Embeddings run() {
    return runner.apply(this);
  }

  /**
   * Whether vectors stay as the model gives them.
   *
   * @return false by default
   */
  public boolean isRaw() {
    return raw;
  }

  /**
   * Items computed together.
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
