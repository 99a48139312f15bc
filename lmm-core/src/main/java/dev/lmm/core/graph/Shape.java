package dev.lmm.core.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/**
 * The lengths of all axes of a value, outermost first.
 *
 * @param dims the lengths; none for a scalar
 */
public record Shape(List<Dim> dims) {
  /**
   * Makes a shape.
   *
   * @param dims the lengths; none for a scalar
   */
  public Shape {
    dims = List.copyOf(dims);
  }

  /**
   * A shape of numbers and dims.
   *
   * @param dims each an {@link Integer}, a {@link Long}, a {@link Dim}, or a {@link String} for a
   *     symbol
   * @return the shape
   */
  public static Shape of(Object... dims) {
    List<Dim> list = new ArrayList<>(dims.length);
    for (Object dim : dims) {
      if (dim instanceof Dim d) {
        list.add(d);
      } else if (dim instanceof Number n) {
        list.add(Dim.of(n.longValue()));
      } else if (dim instanceof String s) {
        list.add(Dim.symbol(s));
      } else {
        throw new GraphException("shape: " + dim + " is no length");
      }
    }
    return new Shape(list);
  }

  /**
   * A shape of fixed lengths.
   *
   * @param dims the lengths
   * @return the shape
   */
  public static Shape ofFixed(long... dims) {
    List<Dim> list = new ArrayList<>(dims.length);
    for (long dim : dims) {
      list.add(Dim.of(dim));
    }
    return new Shape(list);
  }

  /**
   * Number of axes.
   *
   * @return the rank
   */
  public int rank() {
    return dims.size();
  }

  /**
   * One length.
   *
   * @param axis the axis; negative counts from the end
   * @return its length
   */
  public Dim dim(int axis) {
    return dims.get(axis(axis));
  }

  /**
   * An axis counted from the front.
   *
   * @param axis the axis; negative counts from the end
   * @return between 0 and rank - 1
   * @throws GraphException if there is no such axis
   */
  public int axis(int axis) {
    int front = axis < 0 ? axis + rank() : axis;
    if (front < 0 || front >= rank()) {
      throw new GraphException("axis " + axis + " does not exist in a value of shape " + this);
    }
    return front;
  }

  /**
   * This shape with another length at one axis.
   *
   * @param axis the axis; negative counts from the end
   * @param dim the new length
   * @return the shape
   */
  public Shape with(int axis, Dim dim) {
    List<Dim> list = new ArrayList<>(dims);
    list.set(axis(axis), dim);
    return new Shape(list);
  }

  /**
   * Number of elements.
   *
   * @return the product of all lengths
   */
  public Dim elements() {
    Dim product = Dim.of(1);
    for (Dim dim : dims) {
      product = product.times(dim);
    }
    return product;
  }

  /**
   * Whether no symbol occurs.
   *
   * @return true if all lengths are numbers
   */
  public boolean isFixed() {
    return dims.stream().allMatch(Dim::isFixed);
  }

  /**
   * The lengths for given symbols.
   *
   * @param symbols gives the length of each symbol
   * @return the lengths
   */
  public long[] evaluate(ToLongFunction<String> symbols) {
    return dims.stream().mapToLong(d -> d.evaluate(symbols)).toArray();
  }

  /**
   * The lengths, where all are numbers.
   *
   * @return the lengths
   * @throws GraphException if a symbol occurs
   */
  public long[] fixed() {
    return evaluate(
        symbol -> {
          throw new GraphException("shape " + this + " is not fixed: it depends on " + symbol);
        });
  }

  @Override
  public String toString() {
    return dims.stream().map(Dim::toString).collect(Collectors.joining(", ", "[", "]"));
  }
}
