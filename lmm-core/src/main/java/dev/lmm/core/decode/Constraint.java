package dev.lmm.core.decode;

/**
 * Which tokens may come next, given those that came. One object for one answer; not thread-safe.
 * {@code dev.lmm.core.decode.grammar} makes them from regular expressions and JSON schemas.
 */
public interface Constraint {
  /**
   * Sets the score of every token that may not come next to negative infinity. Tokens that end an
   * answer may come exactly when {@link #complete}; this must treat them like that.
   *
   * @param scores one for each token of the model's head
   * @param endIds tokens that end the answer
   * @param left how many tokens may still be written, this one included; a constraint keeps to what
   *     can be finished within it
   */
  void mask(float[] scores, int[] endIds, int left);

  /**
   * Takes the token that was chosen. Not called for tokens that end the answer.
   *
   * @param id the token
   */
  void accept(int id);

  /**
   * Whether what was written may end here.
   *
   * @return true if it is whole
   */
  boolean complete();

  /**
   * Whether nothing may follow, so that the answer is over.
   *
   * @return true if it is whole and cannot go on
   */
  boolean finished();

  /**
   * How many tokens suffice to finish from here.
   *
   * @return at least 0
   */
  int shortest();

  /**
   * An independent copy in the same state, for beams.
   *
   * @return the copy
   */
  Constraint fork();

  /** What a caller asks for: a source of constraints, shared by all answers. Thread-safe. */
  @FunctionalInterface
  interface Source {
    /**
     * A constraint at its beginning.
     *
     * @return a new one
     */
    Constraint begin();
  }
}
