package dev.lmm.core.text.template;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * A string that remembers which of its characters came from outside the template. Equal to another
 * by its characters alone. Immutable.
 */
final class Text implements Comparable<Text> {
  /** What a template may write at most, in characters. */
  static final int LONGEST = 1 << 22;

  static final Text EMPTY = new Text("", new BitSet());

  private final String value;
  private final BitSet data;

  private Text(String value, BitSet data) {
    this.value = value;
    this.data = data;
  }

  /** Written in the template. */
  static Text template(String value) {
    return new Text(value, new BitSet());
  }

  /** Given by the caller. */
  static Text data(String value) {
    BitSet all = new BitSet();
    all.set(0, value.length());
    return new Text(value, all);
  }

  /** Characters, and which of them are data. */
  static Text of(String value, BitSet data) {
    return new Text(value, (BitSet) data.clone());
  }

  /** Data if any of the origin is. */
  Text like(String changed) {
    return data.isEmpty() ? template(changed) : data(changed);
  }

  String value() {
    return value;
  }

  int length() {
    return value.length();
  }

  boolean isEmpty() {
    return value.isEmpty();
  }

  boolean isData(int index) {
    return data.get(index);
  }

  Text plus(Text other) {
    if ((long) value.length() + other.value.length() > LONGEST) {
      throw new TemplateFailure("the text grows beyond " + LONGEST + " characters");
    }
    BitSet joined = (BitSet) data.clone();
    for (int i = other.data.nextSetBit(0); i >= 0; i = other.data.nextSetBit(i + 1)) {
      int end = other.data.nextClearBit(i);
      joined.set(value.length() + i, value.length() + end);
      i = end - 1;
    }
    return new Text(value + other.value, joined);
  }

  Text sub(int from, int to) {
    return new Text(value.substring(from, to), data.get(from, to));
  }

  /** Without characters of a set at the ends; null means white space. */
  Text strip(@Nullable String set, boolean left, boolean right) {
    int from = 0;
    int to = value.length();
    while (left && from < to && strips(set, value.charAt(from))) {
      from++;
    }
    while (right && to > from && strips(set, value.charAt(to - 1))) {
      to--;
    }
    return sub(from, to);
  }

  private static boolean strips(@Nullable String set, char c) {
    return set == null
        ? Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85
        : set.indexOf(c) >= 0;
  }

  @Override
  public int compareTo(Text other) {
    return value.compareTo(other.value);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Text text && value.equals(text.value);
  }

  @Override
  public int hashCode() {
    return value.hashCode();
  }

  @Override
  public String toString() {
    return value;
  }
}
