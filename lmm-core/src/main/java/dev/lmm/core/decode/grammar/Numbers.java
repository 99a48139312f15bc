package dev.lmm.core.decode.grammar;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Decimal numbers between two bounds, as languages of digits. */
final class Numbers {
  private static final Expr DIGIT = new Expr.Range('0', '9');

  /** Digits after the point. */
  private static final int FRACTION = 6;

  private Numbers() {}

  /** A bound, and whether the number may equal it. */
  record Bound(BigDecimal value, boolean inclusive) {
    Bound negated() {
      return new Bound(value.negate(), inclusive);
    }
  }

  /** Integers without sign or leading zeros, from low to high, both included; or nothing. */
  static Expr naturals(BigInteger low, BigInteger high) {
    if (low.signum() < 0) {
      return naturals(BigInteger.ZERO, high);
    }
    List<Expr> choices = new ArrayList<>();
    int longest = high.signum() < 0 ? 0 : high.toString().length();
    for (int digits = low.toString().length(); digits <= longest; digits++) {
      BigInteger first = digits == 1 ? BigInteger.ZERO : BigInteger.TEN.pow(digits - 1);
      BigInteger last = BigInteger.TEN.pow(digits).subtract(BigInteger.ONE);
      BigInteger from = first.max(low);
      BigInteger to = last.min(high);
      if (from.compareTo(to) <= 0) {
        choices.add(between(from.toString(), to.toString(), 0));
      }
    }
    return new Expr.Alt(choices);
  }

  /** Digit strings of equal length from low to high, from an index on. */
  private static Expr between(String low, String high, int at) {
    if (at == low.length()) {
      return Expr.EMPTY;
    }
    int rest = low.length() - at - 1;
    if (low.endsWith("0".repeat(rest + 1)) && high.endsWith("9".repeat(rest + 1))) {
      return new Expr.Repeat(DIGIT, rest + 1, rest + 1);
    }
    char from = low.charAt(at);
    char to = high.charAt(at);
    if (from == to) {
      return Expr.seq(new Expr.Range(from, from), between(low, high, at + 1));
    }
    List<Expr> choices = new ArrayList<>();
    String nines = high.substring(0, at + 1) + "9".repeat(rest);
    String zeros = low.substring(0, at + 1) + "0".repeat(rest);
    choices.add(Expr.seq(new Expr.Range(from, from), between(low, nines, at + 1)));
    if (from + 1 < to) {
      choices.add(Expr.seq(new Expr.Range(from + 1, to - 1), new Expr.Repeat(DIGIT, rest, rest)));
    }
    choices.add(Expr.seq(new Expr.Range(to, to), between(zeros, high, at + 1)));
    return new Expr.Alt(choices);
  }

  /** Integers with sign, from low to high, both included. */
  static Expr integers(BigInteger low, BigInteger high) {
    Expr positive = naturals(low.max(BigInteger.ZERO), high);
    Expr negative = naturals(high.negate().max(BigInteger.ONE), low.negate());
    return Expr.alt(positive, Expr.seq(Expr.text("-"), negative));
  }

  /** Numbers with sign and perhaps a fraction. */
  static Expr decimals(Bound low, Bound high) {
    Bound zero = new Bound(BigDecimal.ZERO, true);
    Bound aboveZero = new Bound(BigDecimal.ZERO, false);
    Expr positive = magnitudes(low.value().signum() < 0 ? zero : low, high);
    Bound turned = high.negated();
    Expr negative =
        magnitudes(
            turned.value().signum() < 0 || isZero(turned) ? aboveZero : turned, low.negated());
    return Expr.alt(positive, Expr.seq(Expr.text("-"), negative));
  }

  private static boolean isZero(Bound bound) {
    return bound.value().signum() == 0;
  }

  private static Expr magnitudes(Bound low, Bound high) {
    int order = low.value().compareTo(high.value());
    if (high.value().signum() < 0
        || order > 0
        || (order == 0 && !(low.inclusive() && high.inclusive()))) {
      return Expr.NOTHING;
    }
    BigInteger first = low.value().setScale(0, RoundingMode.FLOOR).toBigInteger();
    BigInteger last = high.value().setScale(0, RoundingMode.FLOOR).toBigInteger();
    List<Expr> choices = new ArrayList<>();
    if (first.equals(last)) {
      choices.add(whole(first, low, high));
    } else {
      choices.add(whole(first, low, null));
      choices.add(whole(last, null, high));
      Expr inside = naturals(first.add(BigInteger.ONE), last.subtract(BigInteger.ONE));
      choices.add(
          Expr.seq(
              inside,
              Expr.optional(Expr.seq(Expr.text("."), new Expr.Repeat(DIGIT, 1, FRACTION)))));
    }
    return new Expr.Alt(choices);
  }

  /** One whole part with the fractions that keep to the bounds. */
  private static Expr whole(BigInteger part, @Nullable Bound low, @Nullable Bound high) {
    Fraction from = low == null ? null : Fraction.of(low, part);
    Fraction to = high == null ? null : Fraction.of(high, part);
    List<Expr> choices = new ArrayList<>();
    if ((from == null || from.reachedByNothing(0)) && (to == null || to.keptByNothing(0))) {
      choices.add(Expr.EMPTY);
    }
    Expr digits = fraction(from, to, 0, false);
    choices.add(Expr.seq(Expr.text("."), digits));
    return Expr.seq(Expr.text(part.toString()), new Expr.Alt(choices));
  }

  /** The digits of a bound behind the point. */
  private record Fraction(String digits, boolean inclusive) {
    static Fraction of(Bound bound, BigInteger part) {
      BigDecimal rest = bound.value().subtract(new BigDecimal(part)).stripTrailingZeros();
      String plain = rest.toPlainString();
      int point = plain.indexOf('.');
      return new Fraction(point < 0 ? "" : plain.substring(point + 1), bound.inclusive());
    }

    char at(int index) {
      return index < digits.length() ? digits.charAt(index) : '0';
    }

    /** Whether a number that ends here, equal so far, is large enough. */
    boolean reachedByNothing(int index) {
      return index >= digits.length() && inclusive;
    }

    /** Whether a number that ends here, equal so far, is small enough. */
    boolean keptByNothing(int index) {
      return index < digits.length() || inclusive;
    }
  }

  /** Digits from an index on; a bound is null once the number is clear of it. */
  private static Expr fraction(
      @Nullable Fraction low, @Nullable Fraction high, int at, boolean mayEnd) {
    int most = Math.max(FRACTION, Math.max(length(low), length(high)) + 1);
    if (low == null && high == null) {
      return new Expr.Repeat(DIGIT, mayEnd ? 0 : 1, Math.max(mayEnd ? 0 : 1, most - at));
    }
    List<Expr> choices = new ArrayList<>();
    if (mayEnd
        && (low == null || low.reachedByNothing(at))
        && (high == null || high.keptByNothing(at))) {
      choices.add(Expr.EMPTY);
    }
    if (at < most) {
      char from = low == null ? '0' : low.at(at);
      char to = high == null ? '9' : high.at(at);
      for (char digit = from; digit <= to; digit++) {
        Expr rest = fraction(digit > from ? null : low, digit < to ? null : high, at + 1, true);
        choices.add(Expr.seq(new Expr.Range(digit, digit), rest));
      }
    }
    return new Expr.Alt(choices);
  }

  private static int length(@Nullable Fraction fraction) {
    return fraction == null ? 0 : fraction.digits().length();
  }
}
