package dev.lmm;

import java.util.Iterator;

/**
 * An answer that is written as it is asked for: each {@link #next} computes one token, on the
 * calling thread. Leaving early is fine; close it then. For one thread.
 *
 * <pre>{@code
 * try (TokenStream words = chat.ask("Tell me a story").stream()) {
 *   words.forEachRemaining(piece -> System.out.print(piece.text()));
 * }
 * }</pre>
 */
public interface TokenStream extends Iterator<TokenStream.Piece>, AutoCloseable {
  /**
   * One token as it comes.
   *
   * @param id of the vocabulary
   * @param text what is certain now and was not before; empty while a character or a possible stop
   *     text is held back
   * @param logProbability natural logarithm of the model's own probability
   */
  record Piece(int id, String text, float logProbability) {}

  /**
   * Computes the next token; the first call reads the prompt.
   *
   * @return the token
   * @throws java.util.NoSuchElementException if the answer is over
   * @throws CancelledException if the run was stopped
   */
  @Override
  Piece next();

  /**
   * The answer as far as it has come.
   *
   * @return all pieces given so far; {@link Answer.End#UNFINISHED} while it goes on
   */
  Answer answer();

  /** Ends the answer where it is; harmless twice. */
  @Override
  void close();
}
