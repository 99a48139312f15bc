package dev.lmm.core.text;

import java.util.List;

/**
 * Takes away the blanks that word pieces leave before punctuation and contractions, as the
 * reference does where a tokenizer_config.json says {@code clean_up_tokenization_spaces} (T5's and
 * BERT's do). For one text, as it comes; for one thread.
 *
 * <p>Source: transformers' {@code PreTrainedTokenizerBase.clean_up_tokenization}, checked by
 * goldens.
 */
final class CleanUp {
  /** What is replaced, one after the other, each by itself without blanks. */
  private static final List<String> PATTERNS =
      List.of(" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're");

  /** A pattern that has begun and is not whole yet has at most so many characters. */
  private static final int LONGEST_BEGUN = 3;

  private final StringBuilder held = new StringBuilder();

  /** The whole of a text, cleaned. */
  static String of(String text) {
    String clean = text;
    for (String pattern : PATTERNS) {
      clean = clean.replace(pattern, pattern.strip());
    }
    return clean;
  }

  /**
   * Takes the next stretch of a text.
   *
   * @param news the stretch
   * @return what is certain now and was not before
   */
  String accept(String news) {
    held.append(news);
    int cut = certain();
    String clean = of(held.substring(0, cut));
    held.delete(0, cut);
    return clean;
  }

  /** What was held back. */
  String finish() {
    String clean = of(held.toString());
    held.setLength(0);
    return clean;
  }

  /**
   * How much of what is held stays as it is whatever follows: up to the end if no pattern can have
   * begun, else up to the last blank that no pattern can reach over. A pattern reaches over a blank
   * only from {@code '} or, once other blanks are gone, from {@code n}.
   */
  private int certain() {
    int length = held.length();
    int blank = held.lastIndexOf(" ");
    if (blank < 0 || blank < length - LONGEST_BEGUN) {
      return length;
    }
    for (int i = length - 1; i > 0; i--) {
      if (held.charAt(i) == ' ' && " 'n".indexOf(held.charAt(i - 1)) < 0) {
        return i;
      }
    }
    return 0;
  }
}
