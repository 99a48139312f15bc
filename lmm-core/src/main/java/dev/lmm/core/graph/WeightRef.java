package dev.lmm.core.graph;

import java.util.Arrays;

/**
 * Where a weight lies in a checkpoint: a tensor by name, a range of its first axis, optionally
 * transposed, seen under another shape. Fused projections, stacked experts and old layouts are read
 * this way where they lie, without a copy on disk.
 *
 * @param name the checkpoint's tensor name
 * @param stored the tensor's whole shape in the file
 * @param rowStart first index of the first axis that is used
 * @param rows number of indices of the first axis that are used
 * @param transpose whether the (two-dimensional) range is used transposed
 * @param view the shape of the result; as many elements as the range has
 */
@SuppressWarnings("ArrayRecordComponent") // equals and hashCode compare contents
public record WeightRef(
    String name, long[] stored, long rowStart, long rows, boolean transpose, long[] view) {
  /**
   * The whole of a tensor, as it is.
   *
   * @param name the checkpoint's tensor name
   * @param shape its shape
   * @return the reference
   */
  public static WeightRef whole(String name, long... shape) {
    return new WeightRef(name, shape, 0, shape.length == 0 ? 1 : shape[0], false, shape);
  }

  /**
   * Whether the reference covers the whole tensor.
   *
   * @return true if no row is left out
   */
  public boolean isWhole() {
    return rowStart == 0 && (stored.length == 0 || rows == stored[0]);
  }

  /**
   * Elements in one index of the first axis.
   *
   * @return the product of the other lengths
   */
  public long rowElements() {
    long product = 1;
    for (int i = 1; i < stored.length; i++) {
      product *= stored[i];
    }
    return product;
  }

  /**
   * Number of elements of the range.
   *
   * @return elements
   */
  public long elements() {
    return rows * rowElements();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof WeightRef ref
        && name.equals(ref.name)
        && Arrays.equals(stored, ref.stored)
        && rowStart == ref.rowStart
        && rows == ref.rows
        && transpose == ref.transpose
        && Arrays.equals(view, ref.view);
  }

  @Override
  public int hashCode() {
    return name.hashCode() * 31 + Long.hashCode(rowStart) + Arrays.hashCode(view);
  }

  @Override
  public String toString() {
    return name
        + Arrays.toString(stored)
        + (isWhole() ? "" : " rows " + rowStart + ".." + (rowStart + rows))
        + (transpose ? " transposed" : "")
        + (Arrays.equals(stored, view) ? "" : " as " + Arrays.toString(view));
  }
}
