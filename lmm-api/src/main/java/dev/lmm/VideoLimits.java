package dev.lmm;

/**
 * What a video file may ask for. Size, length and number of frames are checked before a frame is
 * decoded.
 *
 * @param maxPixels the most pixels of a frame, width times height
 * @param maxFrames the most frames of a file
 * @param maxSeconds the longest file
 * @param maxBytes the most memory of all frames that are taken out at once; three bytes a pixel
 */
public record VideoLimits(long maxPixels, int maxFrames, double maxSeconds, long maxBytes) {
  /**
   * Checks that every limit is positive.
   *
   * @param maxPixels the most pixels of a frame, width times height
   * @param maxFrames the most frames of a file
   * @param maxSeconds the longest file
   * @param maxBytes the most memory of all frames that are taken out at once
   */
  public VideoLimits {
    Check.that(maxPixels >= 1, "maxPixels: is " + maxPixels + "; expected at least 1");
    Check.that(maxFrames >= 1, "maxFrames: is " + maxFrames + "; expected at least 1");
    Check.that(maxSeconds > 0, "maxSeconds: is " + maxSeconds + "; expected more than 0");
    Check.that(maxBytes >= 1, "maxBytes: is " + maxBytes + "; expected at least 1");
  }

  /**
   * The default: frames of 67,108,864 pixels (8,192 x 8,192), a million frames, a day, and half of
   * the memory that the JVM may take.
   *
   * @return the limits
   */
  public static VideoLimits standard() {
    return new VideoLimits(1L << 26, 1_000_000, 86_400, Runtime.getRuntime().maxMemory() / 2);
  }

  /**
   * Other pixels.
   *
   * @param pixels the most pixels of a frame, at least 1
   * @return a copy
   */
  public VideoLimits withMaxPixels(long pixels) {
    return new VideoLimits(pixels, maxFrames, maxSeconds, maxBytes);
  }

  /**
   * Another number of frames.
   *
   * @param frames the most frames of a file, at least 1
   * @return a copy
   */
  public VideoLimits withMaxFrames(int frames) {
    return new VideoLimits(maxPixels, frames, maxSeconds, maxBytes);
  }

  /**
   * Another length.
   *
   * @param seconds the longest file, positive
   * @return a copy
   */
  public VideoLimits withMaxSeconds(double seconds) {
    return new VideoLimits(maxPixels, maxFrames, seconds, maxBytes);
  }

  /**
   * Other memory.
   *
   * @param bytes of all frames that are taken out at once, at least 1
   * @return a copy
   */
  public VideoLimits withMaxBytes(long bytes) {
    return new VideoLimits(maxPixels, maxFrames, maxSeconds, bytes);
  }
}
