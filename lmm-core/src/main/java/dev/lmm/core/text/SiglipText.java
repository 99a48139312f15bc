package dev.lmm.core.text;

import dev.lmm.CheckpointException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How SigLIP (the first) prepares text before its pieces are looked up: special tokens are cut out,
 * what lies between is lower-cased, loses its ASCII punctuation, has runs of white space made one
 * blank, and is stripped. The text begins with a mark for a blank.
 *
 * <p>Source: the behaviour of transformers' {@code SiglipTokenizer}, checked by goldens.
 */
final class SiglipText {
  private static final char MARK = '\u2581';
  static final String EOS = "</s>";
  static final String UNKNOWN = "<unk>";
  private static final List<String> SPECIALS = List.of(EOS, UNKNOWN);
  private static final String PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

  private final CharsMap charsMap;
  private final int eosId;
  private final int unknownId;

  /** Prepares text for a model. */
  SiglipText(SentencePieceModel model, Path file) {
    this.charsMap = new CharsMap(model.charsMap(), file.toString());
    this.eosId = model.pieces().indexOf(EOS);
    this.unknownId = model.unknown();
    if (eosId < 0) {
      throw new CheckpointException(file + ": has no piece " + EOS);
    }
  }

  /** Id of the end token. */
  int eosId() {
    return eosId;
  }

  /** Whether a piece is one of the tokens that are cut out of texts. */
  static boolean isSpecial(String piece) {
    return SPECIALS.contains(piece);
  }

  /** Id of a special token. */
  int id(String special) {
    return special.equals(EOS) ? eosId : unknownId;
  }

  /** What sentencepiece does to a text before it looks for pieces, except at its left end. */
  String normalized(String text) {
    return charsMap.normalize(text).replaceAll(" {2,}", " ").replaceAll(" +$", "");
  }

  /**
   * A stretch of text.
   *
   * @param text prepared text, or a special token
   * @param special whether it is a special token
   */
  record Stretch(String text, boolean special) {}

  /** Prepares a text. */
  static List<Stretch> stretches(String text) {
    List<Stretch> stretches = new ArrayList<>();
    String rest = MARK + text.replace(MARK, ' ');
    boolean afterSpecial = false;
    while (!rest.isEmpty()) {
      int at = rest.length();
      String found = "";
      for (String special : SPECIALS) {
        int i = rest.indexOf(special);
        if (i >= 0 && i < at) {
          at = i;
          found = special;
        }
      }
      String plain = rest.substring(0, at);
      // Special tokens swallow the white space at their sides.
      plain = afterSpecial ? stripLeft(plain) : plain;
      plain = found.isEmpty() ? plain : stripRight(plain);
      // The mark alone before a leading special token is dropped.
      boolean bare = stretches.isEmpty() && plain.equals(String.valueOf(MARK)) && !found.isEmpty();
      if (!plain.isEmpty() && !bare) {
        stretches.add(new Stretch(canonical(plain), false));
      }
      if (!found.isEmpty()) {
        stretches.add(new Stretch(found, true));
      }
      afterSpecial = !found.isEmpty();
      rest = rest.substring(at + found.length());
    }
    return stretches;
  }

  private static String canonical(String text) {
    // Python's lower() and Java's agree here, final sigma included.
    String lower = text.toLowerCase(Locale.ROOT);
    StringBuilder canonical = new StringBuilder(lower.length());
    boolean blank = false;
    for (int i = 0; i < lower.length(); i++) {
      char c = lower.charAt(i);
      if (PUNCTUATION.indexOf(c) >= 0) {
        continue;
      }
      if (isSpace(c)) {
        blank = true;
        continue;
      }
      if (blank && !canonical.isEmpty()) {
        canonical.append(' ');
      }
      blank = false;
      canonical.append(c);
    }
    return canonical.toString();
  }

  private static String stripLeft(String text) {
    int i = 0;
    while (i < text.length() && isSpace(text.charAt(i))) {
      i++;
    }
    return text.substring(i);
  }

  private static String stripRight(String text) {
    int i = text.length();
    while (i > 0 && isSpace(text.charAt(i - 1))) {
      i--;
    }
    return text.substring(0, i);
  }

  /** What Python calls white space. */
  static boolean isSpace(char c) {
    return (c >= 0x09 && c <= 0x0d)
        || (c >= 0x1c && c <= 0x20)
        || c == 0x85
        || c == 0xa0
        || c == 0x1680
        || (c >= 0x2000 && c <= 0x200a)
        || c == 0x2028
        || c == 0x2029
        || c == 0x202f
        || c == 0x205f
        || c == 0x3000;
  }
}
