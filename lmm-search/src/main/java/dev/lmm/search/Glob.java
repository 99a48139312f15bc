package dev.lmm.search;

import dev.lmm.InvalidRequestException;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.AutomatonQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.util.automaton.Automata;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.Operations;
import org.apache.lucene.util.automaton.TooComplexToDeterminizeException;

/**
 * Paths by pattern, as an automaton over the index's sorted terms: a leading folder is sought, not
 * scanned for. Text is compared in Unicode's composed form, for file systems differ in theirs.
 */
final class Glob {
  private static final Automaton NO_SLASH =
      Operations.union(
          Automata.makeCharRange(0, '/' - 1),
          Automata.makeCharRange('/' + 1, Character.MAX_CODE_POINT));

  private final String pattern;
  private int at;

  private Glob(String pattern) {
    this.pattern = pattern;
  }

  static Query query(String field, String glob) {
    return new AutomatonQuery(new Term(field, glob), automaton(glob));
  }

  static Automaton automaton(String glob) {
    Glob reader = new Glob(composed(glob));
    Automaton automaton = reader.sequence(false);
    if (reader.at < reader.pattern.length()) {
      throw reader.wrong("has a } too many");
    }
    try {
      return Operations.determinize(automaton, Operations.DEFAULT_DETERMINIZE_WORK_LIMIT);
    } catch (TooComplexToDeterminizeException e) {
      throw new InvalidRequestException("glob: " + glob + " is too intricate; use fewer *", e);
    }
  }

  static String composed(String text) {
    return Normalizer.normalize(text, Normalizer.Form.NFC);
  }

  private Automaton sequence(boolean inside) {
    List<Automaton> parts = new ArrayList<>();
    while (at < pattern.length()) {
      int c = pattern.codePointAt(at);
      if (inside && (c == ',' || c == '}')) {
        break;
      }
      at += Character.charCount(c);
      switch (c) {
        case '*' -> parts.add(star());
        case '?' -> parts.add(NO_SLASH);
        case '[' -> parts.add(oneOf());
        case '{' -> parts.add(alternatives());
        case '}' -> {
          at--;
          return Operations.concatenate(parts);
        }
        case '\\' -> parts.add(escaped());
        default -> parts.add(Automata.makeChar(c));
      }
    }
    return parts.isEmpty() ? Automata.makeEmptyString() : Operations.concatenate(parts);
  }

  private Automaton star() {
    if (!pattern.startsWith("*", at)) {
      return Operations.repeat(NO_SLASH);
    }
    at++;
    if (pattern.startsWith("/", at) && (at == 2 || pattern.charAt(at - 3) == '/')) {
      // **/ between slashes or at the start: any number of folders, none too.
      at++;
      return Operations.optional(
          Operations.concatenate(Automata.makeAnyString(), Automata.makeChar('/')));
    }
    return Automata.makeAnyString();
  }

  private Automaton escaped() {
    if (at >= pattern.length()) {
      throw wrong("ends in a backslash");
    }
    int c = pattern.codePointAt(at);
    at += Character.charCount(c);
    return Automata.makeChar(c);
  }

  private Automaton oneOf() {
    boolean not = pattern.startsWith("!", at) || pattern.startsWith("^", at);
    if (not) {
      at++;
    }
    List<Automaton> ranges = new ArrayList<>();
    while (true) {
      int from = character("has a [ without ]");
      if (from == ']' && !ranges.isEmpty()) {
        break;
      }
      int to = from;
      if (pattern.startsWith("-", at) && !pattern.startsWith("-]", at)) {
        at++;
        to = character("has a [ without ]");
      }
      if (to < from) {
        throw wrong("has a range that runs backwards");
      }
      ranges.add(Automata.makeCharRange(from, to));
    }
    Automaton chosen = Operations.union(ranges);
    return not
        ? Operations.minus(NO_SLASH, chosen, Operations.DEFAULT_DETERMINIZE_WORK_LIMIT)
        : Operations.intersection(NO_SLASH, chosen);
  }

  private int character(String otherwise) {
    if (at >= pattern.length()) {
      throw wrong(otherwise);
    }
    int c = pattern.codePointAt(at);
    at += Character.charCount(c);
    return c;
  }

  private Automaton alternatives() {
    List<Automaton> parts = new ArrayList<>();
    int begin = at;
    do {
      parts.add(sequence(true));
      if (at >= pattern.length()) {
        at = begin;
        throw wrong("has a { without }");
      }
    } while (pattern.charAt(at++) == ',');
    return Operations.union(parts);
  }

  private InvalidRequestException wrong(String what) {
    return new InvalidRequestException("glob: " + pattern + " " + what);
  }
}
