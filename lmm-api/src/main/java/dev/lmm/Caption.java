package dev.lmm;

import java.util.List;

/**
 * What a model wrote about a picture.
 *
 * @param text without special tokens, without white space around it
 * @param tokens the new tokens' ids, without the prompt; an end token may be the last
 * @param logProbabilities for each token the natural logarithm of the probability the model itself
 *     gave it, before penalties and temperature
 * @param score what the captions of one search are ordered by: with beams the sum of
 *     log-probabilities over the length to the power of the length penalty, else their sum
 * @param complete whether the model ended it; false if it was cut at the most tokens allowed
 */
public record Caption(
    String text,
    List<Integer> tokens,
    List<Double> logProbabilities,
    double score,
    boolean complete) {
  /**
   * Copies the lists.
   *
   * @param text without special tokens
   * @param tokens the new tokens' ids
   * @param logProbabilities of each token
   * @param score what captions of one search are ordered by
   * @param complete whether the model ended it
   */
  public Caption {
    tokens = List.copyOf(tokens);
    logProbabilities = List.copyOf(logProbabilities);
  }
}
