package dev.lmm;

import java.util.Comparator;
import java.util.List;

/**
 * How well a text fits a picture.
 *
 * @param text the text, as it was given
 * @param similarity cosine of the two embeddings, -1 to 1
 * @param logit the similarity under the model's own scale (and bias, for SigLIP)
 * @param probability by the family's own rule unless another was asked for: softmax over the texts
 *     of one call (CLIP), or a sigmoid for each text alone (SigLIP); 0 to 1
 */
public record Score(String text, double similarity, double logit, double probability) {
  /**
   * The best of several.
   *
   * @param scores at least one
   * @return the one with the highest logit; the first of equals
   */
  public static Score best(List<Score> scores) {
    Check.that(!Check.notNull(scores, "scores").isEmpty(), "scores: is empty; expected at least 1");
    return scores.stream().reduce((a, b) -> b.logit > a.logit ? b : a).orElseThrow();
  }

  /**
   * All, best first.
   *
   * @param scores any number
   * @return a new list, by falling logit
   */
  public static List<Score> sorted(List<Score> scores) {
    return Check.notNull(scores, "scores").stream()
        .sorted(Comparator.comparingDouble(Score::logit).reversed())
        .toList();
  }
}
