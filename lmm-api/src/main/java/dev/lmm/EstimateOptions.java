package dev.lmm;

/**
 * How large a request an {@link Estimate} is to be for. Immutable.
 *
 * @param tokens entries of a conversation or caption, the prompt's and the answer's together; more
 *     than the model can hold is cut to what it can
 * @param width of the picture, looked at or made; 0 for the model's own size, or 1000 for a model
 *     that takes any size
 * @param height of the picture; 0 for the model's own size, or 750 for a model that takes any size
 * @param batch pictures or texts at once, for models that embed
 */
public record EstimateOptions(int tokens, int width, int height, int batch) {
  /** 1024 tokens, one picture of the model's own size. */
  public static final EstimateOptions DEFAULT = new EstimateOptions(1024, 0, 0, 1);

  /**
   * Checks the sizes.
   *
   * @param tokens at least 1
   * @param width 0, or 1 to 65536
   * @param height 0, or 1 to 65536
   * @param batch at least 1
   * @throws InvalidRequestException if a size is out of range
   */
  public EstimateOptions {
    Check.that(tokens >= 1, "tokens: is " + tokens + "; expected at least 1");
    Check.that(batch >= 1, "batch: is " + batch + "; expected at least 1");
    Check.that(
        width >= 0 && width <= 65536 && height >= 0 && height <= 65536,
        "size: is " + width + "x" + height + "; expected 1 to 65536, or 0 for the model's own");
  }

  /**
   * Another length.
   *
   * @param value entries, at least 1
   * @return new options
   */
  public EstimateOptions withTokens(int value) {
    return new EstimateOptions(value, width, height, batch);
  }

  /**
   * Another size of the picture.
   *
   * @param newWidth 0 for the model's own
   * @param newHeight 0 for the model's own
   * @return new options
   */
  public EstimateOptions withSize(int newWidth, int newHeight) {
    return new EstimateOptions(tokens, newWidth, newHeight, batch);
  }

  /**
   * Another number at once.
   *
   * @param value at least 1
   * @return new options
   */
  public EstimateOptions withBatch(int value) {
    return new EstimateOptions(tokens, width, height, value);
  }
}
