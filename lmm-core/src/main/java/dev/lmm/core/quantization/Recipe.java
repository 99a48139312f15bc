package dev.lmm.core.quantization;

import dev.lmm.Check;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.QuantizedTensor.Layout;

/**
 * How the matrix of a linear layer is brought into few bits.
 *
 * @param layout how codes lie
 * @param bits of a code, 4 or 8; 8 with {@link Layout#COLUMNS}
 * @param block how many columns share a scale: a power of two, 16 to 256; ignored with {@link
 *     Layout#COLUMNS}
 * @param zeroPoints whether each block has a zero point of its own; never with {@link
 *     Layout#COLUMNS}
 * @param search whether each block's scale is the one with the least squared error of a small grid,
 *     instead of the one that just holds the largest weight
 */
public record Recipe(Layout layout, int bits, int block, boolean zeroPoints, boolean search) {
  /** 8 bits, one scale for each output; activations in 8 bits with one scale for all of them. */
  public static final Recipe COLUMNS = new Recipe(Layout.COLUMNS, 8, 0, false, false);

  /**
   * Checks the combination.
   *
   * @param layout how codes lie
   * @param bits of a code, 4 or 8
   * @param block how many columns share a scale
   * @param zeroPoints whether each block has a zero point of its own
   * @param search whether scales are searched for
   * @throws dev.lmm.InvalidRequestException if it does not exist
   */
  public Recipe {
    if (layout == Layout.COLUMNS) {
      Check.that(
          bits == 8 && block == 0 && !zeroPoints && !search,
          "recipe: columns have 8 bits, no block, no zero points and no search; found "
              + bits
              + " bits, block "
              + block);
    } else {
      Check.that(bits == 4 || bits == 8, "recipe: bits is " + bits + "; expected 4 or 8");
      Check.that(
          block >= 16 && block <= 256 && Integer.bitCount(block) == 1,
          "recipe: block is " + block + "; expected 16, 32, 64, 128 or 256");
    }
  }

  /**
   * Blocks without zero points or search.
   *
   * @param bits of a code, 4 or 8
   * @param block how many columns share a scale
   * @return the recipe
   */
  public static Recipe blocks(int bits, int block) {
    return new Recipe(Layout.BLOCKS, bits, block, false, false);
  }

  /**
   * A short name, part of the cache's keys: equal for equal results.
   *
   * @return for instance {@code blocks4x32}, with {@code z} for zero points and {@code s} for the
   *     search
   */
  public String id() {
    return layout == Layout.COLUMNS
        ? "columns8"
        : "blocks" + bits + "x" + block + (zeroPoints ? "z" : "") + (search ? "s" : "");
  }

  /**
   * Columns that share a scale.
   *
   * @param columns of the matrix
   * @return the block, or all columns
   */
  int blockOf(long columns) {
    return layout == Layout.COLUMNS ? Math.toIntExact(columns) : block;
  }

  /**
   * Bytes of codes, scales and zero points.
   *
   * @param rows outputs of the layer
   * @param columns inputs of the layer
   * @return the size of the {@link QuantizedTensor}
   */
  public long bytes(long rows, long columns) {
    if (layout == Layout.COLUMNS) {
      return rows * columns + rows * Float.BYTES;
    }
    long blocks = (columns + block - 1) / block;
    long zeros = zeroPoints ? rows * ((blocks * bits + 7) / 8) : 0;
    return rows * blocks * (block * bits / 8) + rows * blocks * Float.BYTES + zeros;
  }
}
