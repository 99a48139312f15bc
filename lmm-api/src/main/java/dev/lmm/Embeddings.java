package dev.lmm;

import java.nio.FloatBuffer;

/** Vectors of one length, in the order of what they embed. Immutable, thread-safe. */
public final class Embeddings {
  private final int count;
  private final int dimension;
  private final float[] data;

  /**
   * Vectors over one array, used as it is.
   *
   * @param count number of vectors
   * @param dimension length of each
   * @param data {@code count * dimension} numbers, vector after vector; not to be changed
   *     afterwards
   */
  public Embeddings(int count, int dimension, float[] data) {
    Check.that(
        count >= 0
            && dimension >= 1
            && (long) count * dimension == Check.notNull(data, "data").length,
        "data: does not hold " + count + " vectors of " + dimension);
    this.count = count;
    this.dimension = dimension;
    this.data = data;
  }

  /**
   * Number of vectors.
   *
   * @return at least 0
   */
  public int count() {
    return count;
  }

  /**
   * Length of each vector.
   *
   * @return at least 1
   */
  public int dimension() {
    return dimension;
  }

  /**
   * One vector.
   *
   * @param index from 0
   * @return a copy
   */
  public float[] vector(int index) {
    float[] vector = new float[dimension];
    view(index).get(vector);
    return vector;
  }

  /**
   * One vector, not copied.
   *
   * @param index from 0
   * @return a read-only view
   */
  public FloatBuffer view(int index) {
    Check.that(
        index >= 0 && index < count, "index: is " + index + "; expected 0 to " + (count - 1));
    return FloatBuffer.wrap(data, index * dimension, dimension).slice().asReadOnlyBuffer();
  }

  /**
   * All vectors, one after the other, not copied.
   *
   * @return a read-only view
   */
  public FloatBuffer view() {
    return FloatBuffer.wrap(data).asReadOnlyBuffer();
  }

  /**
   * The cosine of the angle between a vector here and one there.
   *
   * @param index here
   * @param other vectors of the same length
   * @param otherIndex there
   * @return -1 to 1; NaN if one is all zeros
   */
  public double cosine(int index, Embeddings other, int otherIndex) {
    Check.that(
        Check.notNull(other, "other").dimension == dimension,
        "other: has vectors of " + other.dimension + "; expected " + dimension);
    Check.that(index >= 0 && index < count, "index: is " + index + " of " + count);
    Check.that(
        otherIndex >= 0 && otherIndex < other.count,
        "otherIndex: is " + otherIndex + " of " + other.count);
    double dot = 0;
    double a = 0;
    double b = 0;
    int p = index * dimension;
    int q = otherIndex * dimension;
    for (int i = 0; i < dimension; i++) {
      double x = data[p + i];
      double y = other.data[q + i];
      dot += x * y;
      a += x * x;
      b += y * y;
    }
    return dot / Math.sqrt(a * b);
  }

  /**
   * The same directions with Euclidean length 1.
   *
   * @return new vectors; a zero vector becomes NaN, as in the reference
   */
  public Embeddings normalized() {
    float[] unit = new float[data.length];
    for (int v = 0; v < count; v++) {
      double squares = 0;
      for (int i = v * dimension; i < (v + 1) * dimension; i++) {
        squares += (double) data[i] * data[i];
      }
      double length = Math.sqrt(squares);
      for (int i = v * dimension; i < (v + 1) * dimension; i++) {
        unit[i] = (float) (data[i] / length);
      }
    }
    return new Embeddings(count, dimension, unit);
  }
}
