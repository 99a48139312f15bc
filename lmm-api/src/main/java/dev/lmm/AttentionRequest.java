package dev.lmm;

import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A request to see what a model attends to. Immutable: every option gives a new request.
 *
 * <p>Defaults: no text, no cancellation.
 */
public final class AttentionRequest {
  private final Function<AttentionRequest, List<AttentionMap>> runner;
  private final @Nullable String text;
  private final @Nullable Cancellation cancellation;

  /**
   * A request with default options; for implementations of {@link Attention}.
   *
   * @param runner carries the request out
   */
  public AttentionRequest(Function<AttentionRequest, List<AttentionMap>> runner) {
    this(Check.notNull(runner, "runner"), null, null);
  }

  private AttentionRequest(
      Function<AttentionRequest, List<AttentionMap>> runner,
      @Nullable String text,
      @Nullable Cancellation cancellation) {
    this.runner = runner;
    this.text = text;
    this.cancellation = cancellation;
  }

  /**
   * The text whose words are watched. What it is to the model is the family's own: CLIP reads it
   * beside the picture; BLIP-2 of the first stage reads it as it is matched, together with the
   * queries; of a model that writes it is the answer, which is read as if the model had written it.
   *
   * @param value the text
   * @return a new request
   */
  public AttentionRequest text(String value) {
    return new AttentionRequest(runner, Check.notNull(value, "text"), cancellation);
  }

  /**
   * Lets a switch stop the run.
   *
   * @param value the switch
   * @return a new request
   */
  public AttentionRequest cancelledBy(Cancellation value) {
    return new AttentionRequest(runner, text, Check.notNull(value, "cancellation"));
  }

  /**
   * The same request, carried out by something around what carries it out now: to measure, to
   * limit, to try again.
   *
   * @param around gets what carries the request out, gives what shall
   * @return a new request
   */
  public AttentionRequest around(
      UnaryOperator<Function<AttentionRequest, List<AttentionMap>>> around) {
    return new AttentionRequest(Check.notNull(around.apply(runner), "around"), text, cancellation);
  }

  /**
   * Looks.
   *
   * @return a map for each kind of attention that the model has between what it was given
   * @throws InvalidRequestException if the text is longer than the model reads
   * @throws CancelledException if the run was cancelled or its thread interrupted
   * @throws ClosedException if the model was closed
   */
  public List<AttentionMap> run() {
    return runner.apply(this);
  }

  /**
   * The text.
   *
   * @return null if there is none
   */
  public @Nullable String text() {
    return text;
  }

  /**
   * What stops the run.
   *
   * @return the switch, or null
   */
  public @Nullable Cancellation cancellation() {
    return cancellation;
  }
}
