package dev.lmm.core.decode.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** A set of Unicode characters, without surrogates. Immutable. */
record CharSet(List<CharSet.Span> spans) {
  private static final int LAST = Character.MAX_CODE_POINT;
  static final CharSet ALL = new CharSet(List.of()).negated();

  /** Code points from low to high, both included. */
  record Span(int low, int high) {}

  static CharSet of(int... bounds) {
    List<Span> spans = new ArrayList<>();
    for (int i = 0; i < bounds.length; i += 2) {
      spans.add(new Span(bounds[i], bounds[i + 1]));
    }
    return normal(spans);
  }

  private static CharSet normal(List<Span> spans) {
    List<Span> sorted = new ArrayList<>();
    for (Span span : spans) {
      // Surrogates are no characters: UTF-8 cannot write them.
      add(sorted, span.low(), Math.min(span.high(), 0xD7FF));
      add(sorted, Math.max(span.low(), 0xE000), span.high());
    }
    sorted.sort(Comparator.comparingInt(Span::low));
    List<Span> merged = new ArrayList<>();
    for (Span span : sorted) {
      Span last = merged.isEmpty() ? null : merged.get(merged.size() - 1);
      if (last != null && span.low() <= last.high() + 1) {
        merged.set(merged.size() - 1, new Span(last.low(), Math.max(last.high(), span.high())));
      } else {
        merged.add(span);
      }
    }
    return new CharSet(List.copyOf(merged));
  }

  private static void add(List<Span> spans, int low, int high) {
    if (low <= high) {
      spans.add(new Span(low, high));
    }
  }

  CharSet or(CharSet other) {
    List<Span> all = new ArrayList<>(spans);
    all.addAll(other.spans);
    return normal(all);
  }

  CharSet negated() {
    List<Span> gaps = new ArrayList<>();
    int next = 0;
    for (Span span : spans) {
      add(gaps, next, span.low() - 1);
      next = span.high() + 1;
    }
    add(gaps, next, LAST);
    return normal(gaps);
  }

  CharSet and(CharSet other) {
    return negated().or(other.negated()).negated();
  }

  boolean has(int character) {
    return spans.stream().anyMatch(s -> s.low() <= character && character <= s.high());
  }

  boolean isEmpty() {
    return spans.isEmpty();
  }

  /** The characters in UTF-8. */
  Expr utf8() {
    List<Expr> choices = new ArrayList<>();
    for (Span span : spans) {
      int low = span.low();
      // Lengths differ at these bounds.
      for (int bound : new int[] {0x7F, 0x7FF, 0xFFFF, LAST}) {
        if (low <= bound && low <= span.high()) {
          int high = Math.min(span.high(), bound);
          sequences(choices, encode(low), encode(high), 0, new ArrayList<>());
          low = high + 1;
        }
      }
    }
    return choices.size() == 1 ? choices.get(0) : new Expr.Alt(choices);
  }

  private static int[] encode(int c) {
    byte[] bytes = new String(Character.toChars(c)).getBytes(StandardCharsets.UTF_8);
    int[] wide = new int[bytes.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = bytes[i] & 255;
    }
    return wide;
  }

  /** All encodings from low to high, of equal length, that share what was written so far. */
  private static void sequences(
      List<Expr> choices, int[] low, int[] high, int at, List<Expr> prefix) {
    if (at == low.length) {
      choices.add(new Expr.Seq(List.copyOf(prefix)));
      return;
    }
    if (low[at] == high[at]) {
      prefix.add(new Expr.Range(low[at], low[at]));
      sequences(choices, low, high, at + 1, prefix);
      prefix.remove(prefix.size() - 1);
      return;
    }
    int first = low[at];
    int last = high[at];
    if (!rest(low, at, 0x80)) {
      prefix.add(new Expr.Range(first, first));
      sequences(choices, low, filled(low, at, 0xBF), at + 1, prefix);
      prefix.remove(prefix.size() - 1);
      first++;
    }
    boolean cut = !rest(high, at, 0xBF);
    if (first <= (cut ? last - 1 : last)) {
      List<Expr> whole = new ArrayList<>(prefix);
      whole.add(new Expr.Range(first, cut ? last - 1 : last));
      for (int i = at + 1; i < low.length; i++) {
        whole.add(new Expr.Range(0x80, 0xBF));
      }
      choices.add(new Expr.Seq(List.copyOf(whole)));
    }
    if (cut) {
      prefix.add(new Expr.Range(last, last));
      sequences(choices, filled(high, at, 0x80), high, at + 1, prefix);
      prefix.remove(prefix.size() - 1);
    }
  }

  private static boolean rest(int[] bytes, int at, int value) {
    for (int i = at + 1; i < bytes.length; i++) {
      if (bytes[i] != value) {
        return false;
      }
    }
    return true;
  }

  private static int[] filled(int[] bytes, int at, int value) {
    int[] filled = bytes.clone();
    Arrays.fill(filled, at + 1, filled.length, value);
    return filled;
  }
}
