package dev.lmm.core.decode;

import dev.lmm.Check;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * What changes the scores of one row before a token is taken, in transformers' order. Holds the
 * history that penalties look at.
 */
final class Processors {
  private final GenerationOptions options;
  private final int[] endIds;
  private final int limit;
  private final @Nullable Constraint constraint;
  private final BitSet seen = new BitSet();
  private int[] history;
  private int length;
  private int written;

  /**
   * Starts a row.
   *
   * @param options penalties and limits
   * @param prompt seen by the penalties if it says so
   * @param endIds tokens that end an answer
   * @param limit how many tokens may be written
   */
  Processors(GenerationOptions options, Prompt prompt, int[] endIds, int limit) {
    this.options = options;
    this.endIds = endIds;
    this.limit = limit;
    Constraint.Source grammar = options.grammar();
    this.constraint = grammar == null ? null : grammar.begin();
    if (constraint != null) {
      Check.that(
          constraint.shortest() <= limit,
          "maxTokens: is "
              + limit
              + "; the shortest answer that satisfies the grammar may take "
              + constraint.shortest()
              + " tokens");
    }
    this.history = new int[Math.max(16, prompt.length() + 16)];
    if (prompt.penalized()) {
      for (int i = 0; i < prompt.length(); i++) {
        if (prompt.id(i) >= 0) {
          remember(prompt.id(i));
        }
      }
    }
  }

  private Processors(Processors other) {
    this.options = other.options;
    this.endIds = other.endIds;
    this.limit = other.limit;
    this.constraint = other.constraint == null ? null : other.constraint.fork();
    this.seen.or(other.seen);
    this.history = other.history.clone();
    this.length = other.length;
    this.written = other.written;
  }

  /** An independent copy, for a beam. */
  Processors fork() {
    return new Processors(this);
  }

  private void remember(int id) {
    if (length == history.length) {
      history = Arrays.copyOf(history, 2 * length);
    }
    history[length++] = id;
    seen.set(id);
  }

  /** Takes the token that was chosen. */
  void accept(int id) {
    remember(id);
    written++;
    if (constraint != null && !isEnd(id)) {
      constraint.accept(id);
    }
  }

  /** Whether the grammar allows nothing more. */
  boolean finished() {
    return constraint != null && constraint.finished();
  }

  boolean isEnd(int id) {
    for (int end : endIds) {
      if (end == id) {
        return true;
      }
    }
    return false;
  }

  /** Whether {@link #process} would leave scores as they are. */
  boolean idle() {
    return options.repetitionPenalty() == 1
        && options.noRepeatNgram() == 0
        && written >= options.minTokens()
        && constraint == null;
  }

  /**
   * Changes the scores in place. If nothing is left, the grammar alone decides: it is a promise,
   * the others are wishes.
   */
  void process(float[] scores) {
    float[] untouched = constraint == null ? scores : scores.clone();
    repetition(scores);
    repeatedNgrams(scores);
    if (written < options.minTokens()) {
      for (int end : endIds) {
        ban(scores, end);
      }
    }
    if (constraint != null) {
      constraint.mask(scores, endIds, limit - written);
      if (noneLeft(scores)) {
        System.arraycopy(untouched, 0, scores, 0, scores.length);
        constraint.mask(scores, endIds, limit - written);
      }
    }
  }

  private void repetition(float[] scores) {
    float penalty = options.repetitionPenalty();
    if (penalty == 1) {
      return;
    }
    for (int id = seen.nextSetBit(0); id >= 0 && id < scores.length; id = seen.nextSetBit(id + 1)) {
      scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
    }
  }

  private void repeatedNgrams(float[] scores) {
    int n = options.noRepeatNgram();
    if (n == 0) {
      return;
    }
    // A run may not be completed that begins with the last n - 1 tokens and came before.
    for (int start = 0; start + n <= length; start++) {
      int matched = 0;
      while (matched < n - 1 && history[start + matched] == history[length - n + 1 + matched]) {
        matched++;
      }
      if (matched == n - 1) {
        ban(scores, history[start + n - 1]);
      }
    }
  }

  private static void ban(float[] scores, int id) {
    if (id >= 0 && id < scores.length) {
      scores[id] = Float.NEGATIVE_INFINITY;
    }
  }

  private static boolean noneLeft(float[] scores) {
    for (float score : scores) {
      if (score > Float.NEGATIVE_INFINITY) {
        return false;
      }
    }
    return true;
  }
}
