package dev.lmm;

import java.util.List;

/**
 * What a model wrote.
 *
 * @param text the answer without special tokens, and without the stop text and what follows it
 * @param tokens what was written, the end token included if it came
 * @param end why it ended
 * @param promptTokens how many tokens were to be read, pictures included
 * @param cachedTokens how many of them had been read before, in an earlier turn
 */
public record Answer(String text, List<Token> tokens, End end, int promptTokens, int cachedTokens) {
  /** Why an answer ended. */
  public enum End {
    /** The model had nothing more to say. */
    COMPLETE,
    /** A stop text was written. */
    STOP,
    /** As many tokens as allowed were written. */
    LENGTH,
    /** The form that was asked for allows nothing more. */
    FORM,
    /** It was left before its end. */
    UNFINISHED
  }

  /**
   * A token and how likely the model itself held it.
   *
   * @param id of the vocabulary
   * @param logProbability natural logarithm of the model's own probability, before penalty, form
   *     and temperature; at most 0
   */
  public record Token(int id, float logProbability) {}

  /**
   * Copies the tokens.
   *
   * @param text the answer without special tokens
   * @param tokens what was written
   * @param end why it ended
   * @param promptTokens how many tokens were to be read
   * @param cachedTokens how many of them had been read before
   */
  public Answer {
    tokens = List.copyOf(tokens);
  }
}
