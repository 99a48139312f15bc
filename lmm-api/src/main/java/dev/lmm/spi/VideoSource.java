package dev.lmm.spi;

import dev.lmm.Cancellation;
import dev.lmm.Image;
import org.jspecify.annotations.Nullable;

/**
 * Where the frames of a video file lie. Immutable and thread-safe; holds nothing open. Frames are
 * counted from 0 in the order in which they are shown.
 */
public interface VideoSource {
  /**
   * Width of the upright frames.
   *
   * @return pixels
   */
  int width();

  /**
   * Height of the upright frames.
   *
   * @return pixels
   */
  int height();

  /**
   * How many there are.
   *
   * @return at least 1
   */
  int frameCount();

  /**
   * How many there are in a second on average.
   *
   * @return positive
   */
  double fps();

  /**
   * When a frame is shown.
   *
   * @param index of the frame
   * @return seconds since the first
   */
  double secondsAt(int index);

  /**
   * Decodes frames. One that cannot be decoded is left out.
   *
   * @param indices rising, none twice
   * @param cancellation stops it, or null
   * @param sink is given each frame, in order, on this thread
   * @throws dev.lmm.ImageException if the file cannot be read any more
   * @throws dev.lmm.CancelledException if it was stopped
   */
  void decode(int[] indices, @Nullable Cancellation cancellation, Sink sink);

  /** Takes frames. */
  @FunctionalInterface
  interface Sink {
    /**
     * Takes one.
     *
     * @param index of the frame
     * @param frame upright, of the source's size
     */
    void frame(int index, Image frame);
  }
}
