package dev.lmm.core.text;

import org.jspecify.annotations.Nullable;

/**
 * How often a regular expression may have to go back on one match, before it is handed to a native
 * engine that ends the process after ten million times.
 *
 * <p>Going back happens only where something that must match comes after something that could match
 * in several ways. So each sequence costs the choices before its last part that cannot be empty: an
 * unbounded repetition as many as a text may have characters, an option two, alternatives as many
 * as they are. A possessive repetition has one way, but walking it costs as much each time.
 * Repeated groups and references are refused outright; no published tokenizer needs them. This is
 * an upper bound: it knows nothing of which characters exclude each other.
 */
final class PatternCost {
  /** Most characters of a text, as a power of two; see {@link Tokenizer#LONGEST_TEXT}. */
  static final double TEXT_BITS = 20;

  /** 2^23 is below ten million. */
  private static final double MOST_BITS = 23;

  private static final int LONGEST = 4096;
  private static final int MOST_NESTED = 20;
  private static final int MOST_COUNTED = 1000;

  private final String pattern;
  private int at;

  private PatternCost(String pattern) {
    this.pattern = pattern;
  }

  /**
   * What makes a pattern unfit.
   *
   * @param pattern a pattern in Oniguruma's syntax
   * @return what is wrong with it, for a message, or null
   */
  static @Nullable String problem(String pattern) {
    if (pattern.length() > LONGEST) {
      return "more than " + LONGEST + " characters";
    }
    try {
      PatternCost cost = new PatternCost(pattern);
      Part whole = cost.alternatives(0);
      if (cost.at < pattern.length()) {
        return "a closing parenthesis too many";
      }
      return whole.cost > MOST_BITS ? "too many ways to match the same text" : null;
    } catch (Unfit e) {
      return e.getMessage();
    }
  }

  /**
   * A part of a pattern.
   *
   * @param empty whether it may match nothing, and so never makes anything go back
   * @param bits logarithm of the ways it may match
   * @param cost logarithm of the times its inside may go back, whatever follows
   */
  private record Part(boolean empty, double bits, double cost) {}

  /** Ends the walk. */
  private static final class Unfit extends Exception {
    private static final long serialVersionUID = 1L;

    Unfit(String message) {
      super(message, null, false, false);
    }
  }

  private Part alternatives(int depth) throws Unfit {
    if (depth > MOST_NESTED) {
      throw new Unfit("more than " + MOST_NESTED + " groups in each other");
    }
    double most = 0;
    double cost = 0;
    int count = 0;
    boolean empty = false;
    do {
      Part sequence = sequence(depth);
      most = Math.max(most, sequence.bits);
      cost = Math.max(cost, sequence.cost);
      empty |= sequence.empty;
      count++;
    } while (take('|'));
    // Alternatives are tried one after another: their ways add up, they do not multiply.
    return new Part(empty, most + Math.log(count) / Math.log(2), cost);
  }

  private Part sequence(int depth) throws Unfit {
    double ways = 0;
    double cost = 0;
    boolean empty = true;
    while (at < pattern.length() && pattern.charAt(at) != '|' && pattern.charAt(at) != ')') {
      Part part = part(depth);
      // What came before is tried again each time this part fails.
      if (!part.empty) {
        empty = false;
        cost = Math.max(cost, ways);
      }
      if (part.cost > 0) {
        cost = Math.max(cost, ways + part.cost);
      }
      ways += part.bits;
    }
    return new Part(empty, ways, cost);
  }

  private Part part(int depth) throws Unfit {
    boolean group = false;
    Part part = new Part(false, 0, 0);
    char c = pattern.charAt(at++);
    switch (c) {
      case '\\' -> escape();
      case '[' -> characterClass();
      case '(' -> {
        group = true;
        part = group(depth);
      }
      case '*', '+', '?' -> throw new Unfit("a repetition of nothing");
      default -> {}
    }
    return repeated(part, group);
  }

  private Part repeated(Part part, boolean group) throws Unfit {
    if (at >= pattern.length()) {
      return part;
    }
    boolean empty;
    double bits;
    char c = pattern.charAt(at);
    if (c == '*' || c == '+') {
      at++;
      empty = c == '*';
      bits = TEXT_BITS;
    } else if (c == '?') {
      at++;
      if (take('+')) {
        return new Part(true, part.bits, part.cost);
      }
      take('?');
      noMore();
      return new Part(true, part.bits + 1, part.cost);
    } else if (c == '{') {
      int close = pattern.indexOf('}', at);
      String counts = close < 0 ? "" : pattern.substring(at + 1, close);
      if (!counts.matches("[0-9]{1,6}|[0-9]{0,6},[0-9]{0,6}") || counts.equals(",")) {
        return part;
      }
      at = close + 1;
      int comma = counts.indexOf(',');
      String low = comma < 0 ? counts : counts.substring(0, comma);
      String high = comma < 0 ? counts : counts.substring(comma + 1);
      int least = low.isEmpty() ? 0 : Integer.parseInt(low);
      int most = high.isEmpty() ? -1 : Integer.parseInt(high);
      if (Math.max(least, most) > MOST_COUNTED) {
        throw new Unfit("a count over " + MOST_COUNTED);
      }
      empty = least == 0;
      bits = most < 0 ? TEXT_BITS : Math.log(Math.max(1, most - least + 1)) / Math.log(2);
      if (group) {
        throw new Unfit("a repeated group");
      }
      take('?');
      noMore();
      return new Part(empty, bits, part.cost);
    } else {
      return part;
    }
    if (group) {
      throw new Unfit("a repeated group");
    }
    if (take('+')) {
      noMore();
      return new Part(empty, 0, bits + part.cost);
    }
    take('?');
    noMore();
    return new Part(empty, bits, part.cost);
  }

  private void noMore() throws Unfit {
    if (at < pattern.length()) {
      char c = pattern.charAt(at);
      boolean counted =
          c == '{'
              && at + 1 < pattern.length()
              && "0123456789,".indexOf(pattern.charAt(at + 1)) >= 0;
      if (c == '*' || c == '+' || c == '?' || counted) {
        throw new Unfit("a repetition of a repetition");
      }
    }
  }

  private void escape() throws Unfit {
    if (at >= pattern.length()) {
      throw new Unfit("a backslash at its end");
    }
    char c = pattern.charAt(at++);
    if ((c >= '1' && c <= '9') || c == 'k' || c == 'g') {
      throw new Unfit("a reference to a group");
    }
    if (c == 'R' || c == 'X') {
      throw new Unfit("\\" + c + ", which matches several characters");
    }
    if ((c == 'p' || c == 'P' || c == 'x' || c == 'o' || c == 'u')
        && at < pattern.length()
        && pattern.charAt(at) == '{') {
      int close = pattern.indexOf('}', at);
      if (close < 0) {
        throw new Unfit("an open brace");
      }
      at = close + 1;
    }
  }

  private void characterClass() throws Unfit {
    int depth = 1;
    // A bracket right after the opening, or after the caret, is a character.
    take('^');
    take(']');
    while (depth > 0) {
      if (at >= pattern.length()) {
        throw new Unfit("an open bracket");
      }
      char c = pattern.charAt(at++);
      if (c == '\\') {
        at++;
      } else if (c == '[') {
        depth++;
        if (depth > MOST_NESTED) {
          throw new Unfit("more than " + MOST_NESTED + " brackets in each other");
        }
      } else if (c == ']') {
        depth--;
      }
    }
  }

  private Part group(int depth) throws Unfit {
    boolean look = false;
    if (take('?')) {
      if (pattern.startsWith("<=", at) || pattern.startsWith("<!", at)) {
        throw new Unfit("a look behind");
      }
      if (at >= pattern.length()) {
        throw new Unfit("an open group");
      }
      char c = pattern.charAt(at);
      if (c == '=' || c == '!') {
        look = true;
        at++;
      } else if (c == ':' || c == '>') {
        at++;
      } else if (c == 'i' || c == 'm' || c == 's' || c == 'x' || c == '-') {
        while (at < pattern.length() && "imsx-".indexOf(pattern.charAt(at)) >= 0) {
          at++;
        }
        if (!take(':')) {
          throw new Unfit("flags for the rest of the pattern");
        }
      } else {
        throw new Unfit("a group of a kind that no tokenizer needs");
      }
    } else if (at < pattern.length() && pattern.charAt(at) == '*') {
      throw new Unfit("a callout");
    }
    Part inner = alternatives(depth + 1);
    if (!take(')')) {
      throw new Unfit("an open parenthesis");
    }
    return new Part(!look && inner.empty, look ? 0 : inner.bits, inner.cost);
  }

  private boolean take(char c) {
    if (at < pattern.length() && pattern.charAt(at) == c) {
      at++;
      return true;
    }
    return false;
  }
}
