package dev.lmm;

import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * A request for texts about several pictures, written side by side. Immutable: every option gives a
 * new request.
 *
 * <p>Defaults: those of {@link CaptionRequest}; 8 pictures at once.
 */
public final class CaptionsRequest {
  /** Pictures written about at once if nothing else is said. */
  public static final int DEFAULT_BATCH = 8;

  private final Function<CaptionsRequest, List<Caption>> runner;
  private final CaptionRequest each;
  private final int batchSize;

  /**
   * A request with default options; for implementations of {@link Captioner}.
   *
   * @param runner carries the request out
   */
  public CaptionsRequest(Function<CaptionsRequest, List<Caption>> runner) {
    this(
        Check.notNull(runner, "runner"),
        new CaptionRequest(
            (request, pieces) -> {
              throw new InvalidRequestException(
                  "each: only sets options of a request for several pictures; run that one");
            }),
        DEFAULT_BATCH);
  }

  private CaptionsRequest(
      Function<CaptionsRequest, List<Caption>> runner, CaptionRequest each, int batchSize) {
    this.runner = runner;
    this.each = each;
    this.batchSize = batchSize;
  }

  /**
   * Sets options that hold for each picture. What is drawn for the i-th picture (from 0) is drawn
   * with i more than the seed.
   *
   * @param options for instance {@code each -> each.prompt("a photo of").maxTokens(20)}
   * @return a new request
   */
  public CaptionsRequest each(UnaryOperator<CaptionRequest> options) {
    CaptionRequest changed = Check.notNull(options, "options").apply(each);
    return new CaptionsRequest(runner, Check.notNull(changed, "each"), batchSize);
  }

  /**
   * Sets how many pictures are written about at once: each takes memory for what is kept of it.
   *
   * @param size at least 1
   * @return a new request
   */
  public CaptionsRequest batchSize(int size) {
    Check.that(size >= 1, "batchSize: is " + size + "; expected at least 1");
    return new CaptionsRequest(runner, each, size);
  }

  /**
   * The same request, carried out by something around what carries it out now: to measure, to
   * limit, to try again.
   *
   * @param around gets what carries the request out, gives what shall
   * @return a new request
   */
  public CaptionsRequest around(UnaryOperator<Function<CaptionsRequest, List<Caption>>> around) {
    return new CaptionsRequest(Check.notNull(around.apply(runner), "around"), each, batchSize);
  }

  /**
   * Writes.
   *
   * @return a text for each picture, the best if there are several; those that each picture alone
   *     would get, in the order of the pictures
   * @throws InvalidRequestException if prompt and answer do not fit the model's context, or options
   *     contradict each other
   * @throws CancelledException if the run was cancelled or its thread interrupted
   * @throws ClosedException if the model was closed
   */
  public List<Caption> run() {
    return runner.apply(this);
  }

  /**
   * Options that hold for each picture.
   *
   * @return a request that cannot be run
   */
  public CaptionRequest each() {
    return each;
  }

  /**
   * Pictures written about at once.
   *
   * @return at least 1
   */
  public int batchSize() {
    return batchSize;
  }
}
