package dev.lmm.core.decode.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A regular language of bytes. */
sealed interface Expr {
  /** The empty text. */
  Expr EMPTY = new Seq(List.of());

  /** No text at all. */
  Expr NOTHING = new Alt(List.of());

  /** One byte of a range, both ends included, 0 to 255. */
  record Range(int low, int high) implements Expr {}

  /** One after the other. */
  record Seq(List<Expr> parts) implements Expr {}

  /** Any one of them. */
  record Alt(List<Expr> choices) implements Expr {}

  /** Repeated; a maximum below 0 is none. */
  record Repeat(Expr part, int min, int max) implements Expr {}

  /**
   * Items in order, those that are optional present or not, a separator between those present. One
   * copy of each item serves all combinations.
   */
  record Members(List<Expr> items, List<Boolean> required, Expr separator) implements Expr {}

  /** One or more of an item with a separator between; one copy of the item. */
  record Listed(Expr item, Expr separator) implements Expr {}

  static Expr seq(Expr... parts) {
    return new Seq(List.of(parts));
  }

  static Expr alt(Expr... choices) {
    return new Alt(List.of(choices));
  }

  static Expr optional(Expr part) {
    return new Alt(List.of(part, EMPTY));
  }

  static Expr text(String text) {
    List<Expr> bytes = new ArrayList<>();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      bytes.add(new Range(b & 255, b & 255));
    }
    return new Seq(bytes);
  }

  /** So many of a part with separators between. */
  static Expr separated(Expr part, Expr separator, int min, int max) {
    if (max < 0 && min <= 1) {
      Expr some = new Listed(part, separator);
      return min == 0 ? optional(some) : some;
    }
    Expr more =
        new Repeat(seq(separator, part), Math.max(0, min - 1), max < 0 ? -1 : Math.max(0, max - 1));
    Expr some = max == 0 ? NOTHING : seq(part, more);
    return min == 0 ? optional(some) : some;
  }
}
