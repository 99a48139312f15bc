package dev.lmm;

import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A request to see where queries look. Immutable: every option gives a new request.
 *
 * <p>Defaults: the picture alone, no cancellation.
 */
public final class QueriesRequest {
  private final Function<QueriesRequest, QueryMaps> runner;
  private final @Nullable String text;
  private final @Nullable Cancellation cancellation;

  /**
   * A request with default options; for implementations of {@link Queries}.
   *
   * @param runner carries the request out
   */
  public QueriesRequest(Function<QueriesRequest, QueryMaps> runner) {
    this(Check.notNull(runner, "runner"), null, null);
  }

  private QueriesRequest(
      Function<QueriesRequest, QueryMaps> runner,
      @Nullable String text,
      @Nullable Cancellation cancellation) {
    this.runner = runner;
    this.text = text;
    this.cancellation = cancellation;
  }

  /**
   * Puts a text beside the queries: they attend to its words, and to the picture in its light. Only
   * models of the first stage read texts so.
   *
   * @param value the text
   * @return a new request
   */
  public QueriesRequest text(String value) {
    return new QueriesRequest(runner, Check.notNull(value, "text"), cancellation);
  }

  /**
   * Lets a switch stop the run.
   *
   * @param value the switch
   * @return a new request
   */
  public QueriesRequest cancelledBy(Cancellation value) {
    return new QueriesRequest(runner, text, Check.notNull(value, "cancellation"));
  }

  /**
   * The same request, carried out by something around what carries it out now: to measure, to
   * limit, to try again.
   *
   * @param around gets what carries the request out, gives what shall
   * @return a new request
   */
  public QueriesRequest around(UnaryOperator<Function<QueriesRequest, QueryMaps>> around) {
    return new QueriesRequest(Check.notNull(around.apply(runner), "around"), text, cancellation);
  }

  /**
   * Looks.
   *
   * @return what each query attended to
   * @throws InvalidRequestException if there is a text and the model's queries read none, or it is
   *     longer than they read
   * @throws CancelledException if the run was cancelled or its thread interrupted
   * @throws ClosedException if the model was closed
   */
  public QueryMaps run() {
    return runner.apply(this);
  }

  /**
   * The text beside the queries.
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
