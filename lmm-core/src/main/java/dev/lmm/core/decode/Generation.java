package dev.lmm.core.decode;

import java.util.List;

/**
 * A finished answer.
 *
 * @param text the answer without special tokens, and without the stop string and what follows it;
 *     empty if there is no tokenizer
 * @param tokens what was written, the end token included if it came
 * @param alternatives for each token the likeliest by the model's own probabilities; empty lists if
 *     none were asked for
 * @param finish why it ended
 * @param promptTokens entries of the prompt
 * @param cachedTokens how many of them had been read before
 * @param score of a beam: sum of processed log-probabilities / length^lengthPenalty; otherwise the
 *     sum of the model's own log-probabilities
 */
public record Generation(
    String text,
    List<TokenChoice> tokens,
    List<List<TokenChoice>> alternatives,
    FinishReason finish,
    int promptTokens,
    int cachedTokens,
    float score) {
  /**
   * The tokens' ids.
   *
   * @return a new array
   */
  public int[] ids() {
    return tokens.stream().mapToInt(TokenChoice::id).toArray();
  }
}
