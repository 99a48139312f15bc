package dev.lmm.spi;

import dev.lmm.Video;
import java.nio.file.Path;
import java.util.Set;

/** Writes video files. Implementations are stateless and thread-safe. */
public interface VideoEncoder {
  /**
   * What it writes.
   *
   * @return endings of file names in lower case, without a dot: {@code gif}
   */
  Set<String> endings();

  /**
   * Writes a file.
   *
   * @param video shown at its own times
   * @param file ends in one of the endings; replaced if it exists
   * @throws dev.lmm.ImageException if it cannot be written
   */
  void encode(Video video, Path file);
}
