package dev.lmm.core.decode;

import dev.lmm.ClosedException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * An answer that is written as it is asked for: each {@link #next} runs the model for one token, on
 * the calling thread. Leaving early is fine; close it then. For one thread.
 *
 * <pre>{@code
 * try (TextRun run = session.stream(prompt, options)) {
 *   run.forEachRemaining(piece -> out.print(piece.text()));
 *   Generation answer = run.result();
 * }
 * }</pre>
 */
public final class TextRun implements Iterator<Piece>, AutoCloseable {
  private final Session session;
  private final Prompt prompt;
  private final GenerationOptions options;
  private final Answer answer;
  private final int cached;
  private boolean closed;

  TextRun(Session session, Prompt prompt, GenerationOptions options, Answer answer, int cached) {
    this.session = session;
    this.prompt = prompt;
    this.options = options;
    this.answer = answer;
    this.cached = cached;
  }

  /**
   * Whether the answer goes on.
   *
   * @return false once it is over or closed
   */
  @Override
  public boolean hasNext() {
    return !closed && answer.finish() == null;
  }

  /**
   * Runs the model for the next token. The first call reads the prompt.
   *
   * @return the token
   * @throws NoSuchElementException if the answer is over
   * @throws dev.lmm.CancelledException if the run was stopped; it may be asked again with the same
   *     result, and what was written is still there
   */
  @Override
  public Piece next() {
    if (closed) {
      throw new ClosedException("The answer was closed");
    }
    if (answer.finish() != null) {
      throw new NoSuchElementException("The answer is over: " + answer.finish());
    }
    float[] logits =
        answer.written() == 0
            ? session.read(prompt, options)
            : session.step(
                answer.last(),
                prompt.nextPosition() + answer.written() - 1,
                prompt.axes(),
                options);
    return answer.take(logits);
  }

  /**
   * Why it ended.
   *
   * @return the reason, or null while it goes on
   */
  public @Nullable FinishReason finish() {
    return answer.finish();
  }

  /**
   * The answer, run to its end unless closed before.
   *
   * @return all of it
   */
  public Generation result() {
    while (hasNext()) {
      next();
    }
    return soFar();
  }

  /**
   * The answer as far as it has come, also after a run that was stopped.
   *
   * @return what {@link #next} has given; {@link FinishReason#UNFINISHED} while it goes on
   */
  public Generation soFar() {
    FinishReason reason = answer.finish();
    return answer.result(
        reason == null ? FinishReason.UNFINISHED : reason, prompt.length(), cached);
  }

  /** Gives the session back; harmless twice. What was written stays readable. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      session.release();
    }
  }
}
