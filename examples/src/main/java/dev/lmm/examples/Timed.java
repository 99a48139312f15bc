package dev.lmm.examples;

import dev.lmm.Answer;
import dev.lmm.ChatRequest;
import dev.lmm.TokenStream;

/**
 * An answer and how long it took.
 *
 * @param answer what was said
 * @param firstToken seconds until the first token: the picture is seen and the question read
 * @param seconds in all
 */
record Timed(Answer answer, double firstToken, double seconds) {
  static Timed of(ChatRequest request) {
    long start = System.nanoTime();
    try (TokenStream words = request.stream()) {
      double first = 0;
      while (words.hasNext()) {
        words.next();
        first = first == 0 ? since(start) : first;
      }
      return new Timed(words.answer(), first, since(start));
    }
  }

  /** Tokens a second, once the first is there. */
  double rate() {
    int more = answer.tokens().size() - 1;
    return more > 0 ? more / Math.max(1e-9, seconds - firstToken) : 0;
  }

  /** How sure the model was of its tokens: the geometric mean of their probabilities. */
  double sureness() {
    return Math.exp(
        answer.tokens().stream().mapToDouble(Answer.Token::logProbability).average().orElse(0));
  }

  private static double since(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
