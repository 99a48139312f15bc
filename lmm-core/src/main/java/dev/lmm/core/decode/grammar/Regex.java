package dev.lmm.core.decode.grammar;

import dev.lmm.InvalidRequestException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Reads a regular expression: characters, {@code .}, classes, groups, {@code |}, {@code * + ?
 * {n,m}}, {@code \d \w \s} and {@code \p{..}}. What is no regular language, or looks around itself,
 * is refused by name.
 */
final class Regex {
  private static final int LARGEST_COUNT = 10_000;
  private static final int DEEPEST = 200;
  private static final CharSet DIGIT = CharSet.of('0', '9');
  private static final CharSet WORD = CharSet.of('0', '9', 'A', 'Z', '_', '_', 'a', 'z');
  private static final CharSet SPACE = CharSet.of(9, 13, ' ', ' ');
  private static final CharSet LINE_END = CharSet.of('\n', '\n', '\r', '\r');

  private final String source;
  private final Function<CharSet, Expr> written;
  private int at;
  private int depth;
  private boolean openStart;
  private boolean openEnd;

  private Regex(String source, Function<CharSet, Expr> written) {
    this.source = source;
    this.written = written;
  }

  /** The whole text must match. */
  static Expr whole(String source) {
    return new Regex(source, CharSet::utf8).parse();
  }

  /**
   * Somewhere in the text it must match, as a JSON schema's pattern has it, unless anchored.
   *
   * @param written how a character is written
   */
  static Expr within(String source, Function<CharSet, Expr> written) {
    Regex regex = new Regex(source, written);
    Expr expr = regex.parse();
    Expr any = new Expr.Repeat(written.apply(CharSet.ALL), 0, -1);
    return Expr.seq(regex.openStart ? any : Expr.EMPTY, expr, regex.openEnd ? any : Expr.EMPTY);
  }

  private Expr parse() {
    openStart = !source.startsWith("^");
    openEnd = !endsAnchored();
    int end = openEnd ? source.length() : source.length() - 1;
    if (!openStart) {
      at = 1;
    }
    if ((!openStart || !openEnd) && hasOuterChoice(end)) {
      throw refused("an anchor beside a choice", "put the choice into a group");
    }
    Expr expr = choice(end);
    if (at < end) {
      throw refused("')' without '('", "escape it");
    }
    return expr;
  }

  private boolean endsAnchored() {
    if (!source.endsWith("$")) {
      return false;
    }
    int slashes = 0;
    for (int i = source.length() - 2; i >= 0 && source.charAt(i) == '\\'; i--) {
      slashes++;
    }
    return slashes % 2 == 0;
  }

  private boolean hasOuterChoice(int end) {
    int level = 0;
    boolean inClass = false;
    for (int i = at; i < end; i++) {
      char c = source.charAt(i);
      if (c == '\\') {
        i++;
      } else if (inClass) {
        inClass = c != ']';
      } else if (c == '[') {
        inClass = true;
      } else if (c == '(') {
        level++;
      } else if (c == ')') {
        level--;
      } else if (c == '|' && level == 0) {
        return true;
      }
    }
    return false;
  }

  private InvalidRequestException refused(String what, String instead) {
    return new InvalidRequestException(
        "regex: " + what + " at character " + at + " of \"" + source + "\"; " + instead);
  }

  private Expr choice(int end) {
    if (++depth > DEEPEST) {
      throw refused("groups nested deeper than " + DEEPEST, "simplify it");
    }
    List<Expr> choices = new ArrayList<>();
    do {
      List<Expr> parts = new ArrayList<>();
      while (at < end && source.charAt(at) != '|' && source.charAt(at) != ')') {
        parts.add(repeated(end));
      }
      choices.add(new Expr.Seq(parts));
    } while (at < end && source.charAt(at) == '|' && at++ >= 0);
    depth--;
    return choices.size() == 1 ? choices.get(0) : new Expr.Alt(choices);
  }

  private Expr repeated(int end) {
    Expr part = atom(end);
    while (at < end) {
      char c = source.charAt(at);
      if (c == '*' || c == '+' || c == '?') {
        at++;
        part = new Expr.Repeat(part, c == '+' ? 1 : 0, c == '?' ? 1 : -1);
      } else if (c == '{') {
        part = counted(part, end);
      } else {
        break;
      }
      // Greedy or not is the same language.
      if (at < end && source.charAt(at) == '?') {
        at++;
      } else if (at < end && source.charAt(at) == '+') {
        throw refused("a possessive quantifier", "leave the '+' out");
      }
    }
    return part;
  }

  private Expr counted(Expr part, int end) {
    int close = source.indexOf('}', at);
    String inside = close < 0 || close >= end ? "" : source.substring(at + 1, close);
    if (!inside.matches("\\d{1,5}(,\\d{0,5})?")) {
      throw refused("'{' without a count {n}, {n,} or {n,m}", "escape it");
    }
    int comma = inside.indexOf(',');
    int min = Integer.parseInt(comma < 0 ? inside : inside.substring(0, comma));
    int max =
        comma < 0
            ? min
            : comma + 1 == inside.length() ? -1 : Integer.parseInt(inside.substring(comma + 1));
    if (min > LARGEST_COUNT || max > LARGEST_COUNT || (max >= 0 && max < min)) {
      throw refused("count {" + inside + "}", "expected n <= m <= " + LARGEST_COUNT);
    }
    at = close + 1;
    return new Expr.Repeat(part, min, max);
  }

  private Expr atom(int end) {
    char c = source.charAt(at);
    switch (c) {
      case '(' -> {
        at++;
        if (at < end && source.charAt(at) == '?') {
          if (!source.startsWith("?:", at)) {
            throw refused("group '(?'", "only (...) and (?:...) are regular");
          }
          at += 2;
        }
        Expr inside = choice(end);
        if (at >= end || source.charAt(at) != ')') {
          throw refused("'(' without ')'", "close the group");
        }
        at++;
        return inside;
      }
      case '[' -> {
        return written.apply(charClass(end));
      }
      case '.' -> {
        at++;
        return written.apply(LINE_END.negated());
      }
      case '\\' -> {
        return written.apply(escape(end));
      }
      case '^', '$' -> throw refused("anchor '" + c + "' inside", "anchors stand at the ends only");
      case '*', '+', '?', '{' -> throw refused("'" + c + "' with nothing to repeat", "escape it");
      default -> {
        int character = source.codePointAt(at);
        at += Character.charCount(character);
        return written.apply(single(character));
      }
    }
  }

  private CharSet single(int character) {
    CharSet set = CharSet.of(character, character);
    if (set.isEmpty()) {
      throw refused("half a surrogate pair", "it is no character");
    }
    return set;
  }

  private CharSet escape(int end) {
    if (at + 1 >= end) {
      throw refused("'\\' with nothing after it", "escape it");
    }
    char c = source.charAt(at + 1);
    at += 2;
    return switch (c) {
      case 'd' -> DIGIT;
      case 'D' -> DIGIT.negated();
      case 'w' -> WORD;
      case 'W' -> WORD.negated();
      case 's' -> SPACE;
      case 'S' -> SPACE.negated();
      case 'n' -> single('\n');
      case 'r' -> single('\r');
      case 't' -> single('\t');
      case 'f' -> single('\f');
      case 'v' -> single(11);
      case '0' -> single(0);
      case 'x' -> single(hex(2, end));
      case 'u' -> single(hex(4, end));
      case 'p', 'P' -> property(c, end);
      default -> {
        if (Character.isLetterOrDigit(c)) {
          at -= 2;
          throw refused("escape '\\" + c + "'", "it is not supported");
        }
        yield single(c);
      }
    };
  }

  private int hex(int digits, int end) {
    String text = at + digits > end ? "" : source.substring(at, at + digits);
    if (!text.matches("[0-9A-Fa-f]+")) {
      throw refused("an escape without " + digits + " hexadecimal digits", "add them");
    }
    at += digits;
    return Integer.parseInt(text, 16);
  }

  private CharSet property(char kind, int end) {
    int close = source.indexOf('}', at);
    if (at >= end || source.charAt(at) != '{' || close < 0 || close >= end) {
      throw refused("'\\" + kind + "' without {name}", "add it");
    }
    String name = source.substring(at, close + 1);
    Pattern pattern;
    try {
      pattern = Pattern.compile("\\" + kind + name);
    } catch (PatternSyntaxException e) {
      throw refused("character property " + name, "it is not known");
    }
    at = close + 1;
    List<Integer> bounds = new ArrayList<>();
    int start = -1;
    for (int c = 0; c <= Character.MAX_CODE_POINT + 1; c++) {
      boolean in =
          c <= Character.MAX_CODE_POINT
              && Character.getType(c) != Character.SURROGATE
              && pattern.matcher(Character.toString(c)).matches();
      if (in && start < 0) {
        start = c;
      } else if (!in && start >= 0) {
        bounds.add(start);
        bounds.add(c - 1);
        start = -1;
      }
    }
    return CharSet.of(bounds.stream().mapToInt(i -> i).toArray());
  }

  private CharSet charClass(int end) {
    at++;
    boolean negated = at < end && source.charAt(at) == '^';
    if (negated) {
      at++;
    }
    CharSet set = new CharSet(List.of());
    boolean first = true;
    while (at < end && (first || source.charAt(at) != ']')) {
      first = false;
      if (source.startsWith("[:", at) || source.startsWith("&&", at)) {
        throw refused("'" + source.substring(at, at + 2) + "' in a class", "escape it");
      }
      CharSet low = item(end);
      boolean range = at + 1 < end && source.charAt(at) == '-' && source.charAt(at + 1) != ']';
      if (range) {
        at++;
        CharSet high = item(end);
        int from = only(low);
        int to = only(high);
        if (from < 0 || to < from) {
          throw refused("a range whose ends are no characters in order", "turn it round");
        }
        low = CharSet.of(from, to);
      }
      set = set.or(low);
    }
    if (at >= end) {
      throw refused("'[' without ']'", "close the class");
    }
    at++;
    CharSet result = negated ? set.negated() : set;
    if (result.isEmpty()) {
      throw refused("a class without characters", "nothing could match");
    }
    return result;
  }

  private CharSet item(int end) {
    if (source.charAt(at) == '\\') {
      if (source.startsWith("\\b", at)) {
        at += 2;
        return single('\b');
      }
      return escape(end);
    }
    int character = source.codePointAt(at);
    at += Character.charCount(character);
    return single(character);
  }

  private static int only(CharSet set) {
    return set.spans().size() == 1 && set.spans().get(0).low() == set.spans().get(0).high()
        ? set.spans().get(0).low()
        : -1;
  }
}
