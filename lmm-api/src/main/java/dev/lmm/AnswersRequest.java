package dev.lmm;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Several questions to a {@link Chat}, none knowing of the others, answered side by side.
 * Immutable: every option gives a new request.
 *
 * <pre>{@code
 * List<Answer> answers =
 *     qwen.answers()
 *         .ask("What is in this picture?", each -> each.image(first))
 *         .ask("What is in this one?", each -> each.image(second).maxTokens(30))
 *         .run();
 * }</pre>
 *
 * <p>Default: 8 questions at once.
 */
public final class AnswersRequest {
  /** Questions answered at once if nothing else is said. */
  public static final int DEFAULT_BATCH = 8;

  private final Function<AnswersRequest, List<Answer>> runner;
  private final List<ChatRequest> questions;
  private final int batchSize;
  private final @Nullable Cancellation cancellation;

  /**
   * A request without questions; for implementations of {@link Chat}.
   *
   * @param runner carries the request out
   */
  public AnswersRequest(Function<AnswersRequest, List<Answer>> runner) {
    this(Check.notNull(runner, "runner"), List.of(), DEFAULT_BATCH, null);
  }

  private AnswersRequest(
      Function<AnswersRequest, List<Answer>> runner,
      List<ChatRequest> questions,
      int batchSize,
      @Nullable Cancellation cancellation) {
    this.runner = runner;
    this.questions = questions;
    this.batchSize = batchSize;
    this.cancellation = cancellation;
  }

  /**
   * One more question.
   *
   * @param text not blank; the names of control tokens in it are plain text
   * @return a new request
   * @throws InvalidRequestException if the text is blank
   */
  public AnswersRequest ask(String text) {
    return ask(text, UnaryOperator.identity());
  }

  /**
   * One more question.
   *
   * @param text not blank; the names of control tokens in it are plain text
   * @param options sets its pictures and options; what stops the run is set for all questions
   *     together, by {@link #cancelledBy}
   * @return a new request
   * @throws InvalidRequestException if the text is blank
   */
  public AnswersRequest ask(String text, UnaryOperator<ChatRequest> options) {
    ChatRequest question =
        new ChatRequest(
            text,
            request -> {
              throw new InvalidRequestException(
                  "ask: only sets options of one question among several; run the request for all");
            });
    ChatRequest changed = Check.notNull(options, "options").apply(question);
    Check.notNull(changed, "options: their result");
    Check.that(
        changed.cancellation() == null,
        "cancelledBy: is set for one question among several; expected to be set for all");
    List<ChatRequest> more = new ArrayList<>(questions);
    more.add(changed);
    return new AnswersRequest(runner, List.copyOf(more), batchSize, cancellation);
  }

  /**
   * Sets how many questions are answered at once: each takes memory for what is kept of it.
   *
   * @param size at least 1
   * @return a new request
   */
  public AnswersRequest batchSize(int size) {
    Check.that(size >= 1, "batchSize: is " + size + "; expected at least 1");
    return new AnswersRequest(runner, questions, size, cancellation);
  }

  /**
   * What stops the run.
   *
   * @param cancellation the switch
   * @return a new request
   */
  public AnswersRequest cancelledBy(Cancellation cancellation) {
    return new AnswersRequest(
        runner, questions, batchSize, Check.notNull(cancellation, "cancellation"));
  }

  /**
   * The same request, carried out by something around what carries it out now: to measure, to
   * limit, to try again.
   *
   * @param around gets what carries the request out, gives what shall
   * @return a new request
   */
  public AnswersRequest around(UnaryOperator<Function<AnswersRequest, List<Answer>>> around) {
    return new AnswersRequest(
        Check.notNull(around.apply(runner), "around"), questions, batchSize, cancellation);
  }

  /**
   * Answers.
   *
   * @return an answer to each question, in order: those that each alone would get
   * @throws InvalidRequestException if a question does not fit the model's context, or its options
   *     contradict each other; none is begun then
   * @throws CancelledException if it was stopped
   * @throws ClosedException if the model was closed
   */
  public List<Answer> run() {
    return runner.apply(this);
  }

  /**
   * The questions.
   *
   * @return requests that cannot be run by themselves, in order
   */
  public List<ChatRequest> questions() {
    return questions;
  }

  /**
   * Questions answered at once.
   *
   * @return at least 1
   */
  public int batchSize() {
    return batchSize;
  }

  /**
   * The switch.
   *
   * @return it, or null
   */
  public @Nullable Cancellation cancellation() {
    return cancellation;
  }
}
