package dev.lmm.core.engine;

import org.jspecify.annotations.Nullable;

/**
 * A matrix [rows, columns] of a linear layer in few bits: each element is {@code scale * (code -
 * zero)}. A row makes one output.
 *
 * @param layout how codes lie
 * @param bits of a code, 4 or 8
 * @param rows outputs of the layer
 * @param columns inputs of the layer
 * @param block how many columns share a scale; all of them with {@link Layout#COLUMNS}
 * @param codes where the codes lie
 * @param scales where the scales lie, F32: [rows, blocks], or [rows] with {@link Layout#COLUMNS}
 * @param zeros where the zero points lie, in as many bits as codes, or null if all are {@link
 *     #middle}
 * @param order where the order of the columns lies, I32 [columns], or null if they are in order:
 *     the codes' column i is the layer's input order[i]
 */
public record QuantizedTensor(
    Layout layout,
    int bits,
    long rows,
    long columns,
    int block,
    StoredTensor codes,
    StoredTensor scales,
    @Nullable StoredTensor zeros,
    @Nullable StoredTensor order) {
  /** How codes lie. */
  public enum Layout {
    /**
     * U8 [rows, blocks, block * bits / 8]: unsigned codes row by row, of two 4-bit ones the earlier
     * in the low half; a row's last block is filled up. Zero points U8 [rows, bytes] packed alike.
     */
    BLOCKS,
    /**
     * I8 [columns, rows]: signed codes, one scale a row, zero point 0. Activations in 8 bits too.
     */
    COLUMNS
  }

  /**
   * Number of blocks in a row.
   *
   * @return columns over block, rounded up
   */
  public long blocks() {
    return (columns + block - 1) / block;
  }

  /**
   * The zero point where none is stored.
   *
   * @return 0 for signed codes, the middle of the range for unsigned ones
   */
  public int middle() {
    return layout == Layout.COLUMNS ? 0 : 1 << (bits - 1);
  }

  /**
   * Size of codes, scales, zero points and order.
   *
   * @return bytes
   */
  public long bytes() {
    return codes.length()
        + scales.length()
        + (zeros == null ? 0 : zeros.length())
        + (order == null ? 0 : order.length());
  }
}
