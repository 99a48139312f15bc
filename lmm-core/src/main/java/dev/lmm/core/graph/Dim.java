package dev.lmm.core.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/**
 * The length of one axis: a number, or an expression over symbols such as {@code batch} or {@code
 * 2*height + 1}.
 *
 * <p>Expressions are polynomials with integer coefficients over atoms; an atom is a symbol or the
 * floor of a quotient. They are kept in one canonical form, so two expressions that are equal as
 * polynomials are {@link #equals equal}. Every symbol is the length of some axis of a graph input,
 * hence every length in a graph is known before the graph runs.
 *
 * <p>Immutable.
 */
public final class Dim {
  /** What a term multiplies: a symbol, or a floor division. */
  public sealed interface Atom permits Symbol, FloorDiv {}

  /**
   * A named length.
   *
   * @param name the name, unique in a graph
   */
  public record Symbol(String name) implements Atom {
    @Override
    public String toString() {
      return name;
    }
  }

  /**
   * A quotient rounded down.
   *
   * @param dividend the dividend
   * @param divisor the divisor, at least 1
   */
  public record FloorDiv(Dim dividend, long divisor) implements Atom {
    @Override
    public String toString() {
      return "floor((" + dividend + ")/" + divisor + ")";
    }
  }

  /**
   * One summand.
   *
   * @param coefficient its factor, not 0
   * @param atoms the atoms multiplied, with repetitions, in canonical order; empty for a constant
   */
  public record Term(long coefficient, List<Atom> atoms) {}

  // The key is the canonical spelling of the product of the atoms; "" is the constant term.
  private final NavigableMap<String, Term> terms;

  private Dim(NavigableMap<String, Term> terms) {
    this.terms = terms;
  }

  /**
   * A fixed length.
   *
   * @param length the length
   * @return the dim
   */
  public static Dim of(long length) {
    TreeMap<String, Term> terms = new TreeMap<>();
    if (length != 0) {
      terms.put("", new Term(length, List.of()));
    }
    return new Dim(terms);
  }

  /**
   * A named length.
   *
   * @param name the symbol
   * @return the dim
   */
  public static Dim symbol(String name) {
    return atom(new Symbol(name));
  }

  private static Dim atom(Atom atom) {
    TreeMap<String, Term> terms = new TreeMap<>();
    terms.put(atom.toString(), new Term(1, List.of(atom)));
    return new Dim(terms);
  }

  /**
   * The summands in canonical order; none for 0.
   *
   * @return the terms
   */
  public List<Term> terms() {
    return List.copyOf(terms.values());
  }

  /**
   * The number, if this is one.
   *
   * @return the fixed length, or empty if a symbol occurs
   */
  public OptionalLong fixed() {
    if (terms.isEmpty()) {
      return OptionalLong.of(0);
    }
    Term constant = terms.get("");
    return terms.size() == 1 && constant != null
        ? OptionalLong.of(constant.coefficient())
        : OptionalLong.empty();
  }

  /**
   * Whether this is a number.
   *
   * @return true if no symbol occurs
   */
  public boolean isFixed() {
    return fixed().isPresent();
  }

  /**
   * Whether this is the given number.
   *
   * @param length the number
   * @return true if it is that number
   */
  public boolean is(long length) {
    OptionalLong fixed = fixed();
    return fixed.isPresent() && fixed.getAsLong() == length;
  }

  /**
   * The sum.
   *
   * @param other the other summand
   * @return this + other
   */
  public Dim plus(Dim other) {
    TreeMap<String, Term> sum = new TreeMap<>(terms);
    other.terms.forEach((key, term) -> add(sum, key, term));
    return new Dim(sum);
  }

  /**
   * The sum with a number.
   *
   * @param other the number
   * @return this + other
   */
  public Dim plus(long other) {
    return plus(of(other));
  }

  /**
   * The difference.
   *
   * @param other the subtrahend
   * @return this - other
   */
  public Dim minus(Dim other) {
    return plus(other.times(-1));
  }

  /**
   * The product.
   *
   * @param other the other factor
   * @return this * other
   */
  public Dim times(Dim other) {
    TreeMap<String, Term> product = new TreeMap<>();
    for (Term a : terms.values()) {
      for (Term b : other.terms.values()) {
        List<Atom> atoms = new ArrayList<>(a.atoms());
        atoms.addAll(b.atoms());
        atoms.sort((x, y) -> x.toString().compareTo(y.toString()));
        add(
            product,
            key(atoms),
            new Term(Math.multiplyExact(a.coefficient(), b.coefficient()), List.copyOf(atoms)));
      }
    }
    return new Dim(product);
  }

  /**
   * The product with a number.
   *
   * @param other the number
   * @return this * other
   */
  public Dim times(long other) {
    return times(of(other));
  }

  /**
   * The quotient by a single term, where it is exact.
   *
   * @param divisor a number or a product of symbols
   * @return this / divisor
   * @throws ArithmeticException if the division leaves a rest
   */
  public Dim dividedBy(Dim divisor) {
    if (equals(divisor)) {
      return of(1);
    }
    if (divisor.terms.size() != 1) {
      throw new ArithmeticException(this + " cannot be divided by " + divisor);
    }
    Term d = divisor.terms.firstEntry().getValue();
    TreeMap<String, Term> quotient = new TreeMap<>();
    for (Term term : terms.values()) {
      List<Atom> atoms = new ArrayList<>(term.atoms());
      for (Atom atom : d.atoms()) {
        if (!atoms.remove(atom)) {
          throw new ArithmeticException(this + " is not a multiple of " + divisor);
        }
      }
      if (term.coefficient() % d.coefficient() != 0) {
        throw new ArithmeticException(this + " is not a multiple of " + divisor);
      }
      add(quotient, key(atoms), new Term(term.coefficient() / d.coefficient(), List.copyOf(atoms)));
    }
    return new Dim(quotient);
  }

  /**
   * The quotient rounded down, as strides give it.
   *
   * @param divisor the divisor, at least 1
   * @return floor(this / divisor)
   */
  public Dim floorDiv(long divisor) {
    OptionalLong fixed = fixed();
    if (fixed.isPresent()) {
      return of(Math.floorDiv(fixed.getAsLong(), divisor));
    }
    if (divisor == 1) {
      return this;
    }
    try {
      return dividedBy(of(divisor));
    } catch (ArithmeticException notExact) {
      return atom(new FloorDiv(this, divisor));
    }
  }

  /**
   * The length for given symbols.
   *
   * @param symbols gives the length of each symbol
   * @return the length
   * @throws ArithmeticException if it does not fit 64 bits
   */
  public long evaluate(ToLongFunction<String> symbols) {
    long sum = 0;
    for (Term term : terms.values()) {
      long product = term.coefficient();
      for (Atom atom : term.atoms()) {
        long value =
            atom instanceof Symbol symbol
                ? symbols.applyAsLong(symbol.name())
                : floor((FloorDiv) atom, symbols);
        product = Math.multiplyExact(product, value);
      }
      sum = Math.addExact(sum, product);
    }
    return sum;
  }

  private static long floor(FloorDiv quotient, ToLongFunction<String> symbols) {
    return Math.floorDiv(quotient.dividend().evaluate(symbols), quotient.divisor());
  }

  private static void add(Map<String, Term> sum, String key, Term term) {
    Term old = sum.get(key);
    long coefficient =
        old == null ? term.coefficient() : Math.addExact(old.coefficient(), term.coefficient());
    if (coefficient == 0) {
      sum.remove(key);
    } else {
      sum.put(key, new Term(coefficient, term.atoms()));
    }
  }

  private static String key(List<Atom> atoms) {
    StringBuilder key = new StringBuilder();
    for (Atom atom : atoms) {
      key.append(key.isEmpty() ? "" : "*").append(atom);
    }
    return key.toString();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Dim dim && terms.equals(dim.terms);
  }

  @Override
  public int hashCode() {
    return terms.hashCode();
  }

  @Override
  public String toString() {
    if (terms.isEmpty()) {
      return "0";
    }
    StringBuilder text = new StringBuilder();
    // Symbols first, the constant last, as one writes it.
    for (Map.Entry<String, Term> entry : terms.descendingMap().entrySet()) {
      long c = entry.getValue().coefficient();
      text.append(text.isEmpty() ? (c < 0 ? "-" : "") : (c < 0 ? " - " : " + "));
      long magnitude = Math.abs(c);
      String product = entry.getKey();
      if (product.isEmpty()) {
        text.append(magnitude);
      } else {
        text.append(magnitude == 1 ? "" : magnitude + "*").append(product);
      }
    }
    return text.toString();
  }
}
