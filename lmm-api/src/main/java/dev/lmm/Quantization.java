package dev.lmm;

/**
 * How weights are brought into the 4 bits of {@link Precision#INT4}, and into 8 bits where a model
 * keeps those in blocks (the language models of {@link Precision#INT8} on engines that multiply
 * them). Encoders at {@code INT8} have one scale for each output of a layer instead, and nothing to
 * choose.
 *
 * @param block how many weights of a row share a scale: 16, 32, 64, 128 or 256. Fewer are more
 *     exact and take more memory: 32 in 4 bits are 5 bits a weight, 128 are 4.25
 * @param zeroPoints whether each block also has a zero point of its own, for weights that do not
 *     lie around zero; half a byte a block
 * @param searched whether each block's scale is the one of a small grid with the least squared
 *     error, instead of the one that just holds the largest weight. Costs time once, when weights
 *     are quantized, and nothing later
 */
public record Quantization(int block, boolean zeroPoints, boolean searched) {
  /** Blocks of 32, no zero points, no search. */
  public static final Quantization DEFAULT = new Quantization(32, false, false);

  /**
   * Checks the block.
   *
   * @param block how many weights of a row share a scale: 16, 32, 64, 128 or 256
   * @param zeroPoints whether each block has a zero point of its own
   * @param searched whether scales are searched for
   * @throws InvalidRequestException if there is no such block
   */
  public Quantization {
    Check.that(
        block >= 16 && block <= 256 && Integer.bitCount(block) == 1,
        "quantization: block is " + block + "; expected 16, 32, 64, 128 or 256");
  }

  /**
   * Another size of blocks.
   *
   * @param weights 16, 32, 64, 128 or 256
   * @return the same otherwise
   * @throws InvalidRequestException if there is no such block
   */
  public Quantization withBlock(int weights) {
    return new Quantization(weights, zeroPoints, searched);
  }

  /**
   * With zero points.
   *
   * @return the same otherwise
   */
  public Quantization withZeroPoints() {
    return new Quantization(block, true, searched);
  }

  /**
   * With scales that are searched for.
   *
   * @return the same otherwise
   */
  public Quantization withSearch() {
    return new Quantization(block, zeroPoints, true);
  }
}
