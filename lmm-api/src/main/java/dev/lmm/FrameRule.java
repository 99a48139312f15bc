package dev.lmm;

/**
 * A rule that chooses frames by rate within limits, as Qwen's own utilities (qwen-vl-utils) do. It
 * differs from {@link Video#sample(double)}, the rule of the model's processor: the last frame is
 * always among those taken, positions are rounded to the nearest frame, and numbers may be limited.
 *
 * @param fps frames a second
 * @param minFrames the fewest, rounded up to the factor
 * @param maxFrames the most, rounded down to the factor
 * @param factor what the number of frames is a multiple of
 */
public record FrameRule(double fps, int minFrames, int maxFrames, int factor) {
  /**
   * What the utilities let a whole video have, for {@link ChatRequest#videoPixels(long)}: nine
   * tenths of 128,000 tokens of 28 x 28 pixels.
   */
  public static final long QWEN_VIDEO_PIXELS = 90_316_800;

  /**
   * Checks the numbers.
   *
   * @param fps frames a second, positive
   * @param minFrames the fewest, at least 1
   * @param maxFrames the most, at least the factor
   * @param factor what the number of frames is a multiple of, at least 1
   */
  public FrameRule {
    Check.that(fps > 0 && Double.isFinite(fps), "fps: is " + fps + "; expected a positive number");
    Check.that(factor >= 1, "factor: is " + factor + "; expected at least 1");
    Check.that(minFrames >= 1, "minFrames: is " + minFrames + "; expected at least 1");
    Check.that(
        maxFrames >= factor && maxFrames >= minFrames,
        "maxFrames: is "
            + maxFrames
            + "; expected at least the factor, "
            + factor
            + ", and at least minFrames, "
            + minFrames);
  }

  /**
   * The utilities' own: 2 frames a second, 4 to 768 of them, an even number.
   *
   * @return the rule
   */
  public static FrameRule qwenUtilities() {
    return new FrameRule(2, 4, 768, 2);
  }

  /**
   * Another rate.
   *
   * @param rate frames a second, positive
   * @return a copy
   */
  public FrameRule withFps(double rate) {
    return new FrameRule(rate, minFrames, maxFrames, factor);
  }

  /**
   * Other limits.
   *
   * @param min the fewest, at least 1
   * @param max the most, at least the factor
   * @return a copy
   */
  public FrameRule withFrames(int min, int max) {
    return new FrameRule(fps, min, max, factor);
  }

  /** The frames of a clip. */
  int[] indices(int total, double rate) {
    int least = (minFrames + factor - 1) / factor * factor;
    int most = Math.min(maxFrames, total) / factor * factor;
    double wanted = Math.min(Math.min(Math.max(total / rate * fps, least), most), total);
    int count = (int) Math.floor(wanted / factor) * factor;
    Check.that(
        count >= factor, "frames: there are " + total + "; the rule needs at least " + factor);
    int[] indices = new int[count];
    for (int i = 0; i < count; i++) {
      indices[i] = count == 1 ? 0 : position(total - 1, i, count);
    }
    return indices;
  }

  /** As torch's linspace in single precision: from the near end, rounded half to even. */
  private static int position(int last, int i, int count) {
    float step = (float) last / (count - 1);
    float at = i < count / 2 ? step * i : last - step * (count - 1 - i);
    return (int) Math.rint(at);
  }
}
