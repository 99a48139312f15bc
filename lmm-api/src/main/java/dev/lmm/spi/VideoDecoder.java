package dev.lmm.spi;

import dev.lmm.Cancellation;
import dev.lmm.VideoLimits;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Reads video files. Implementations are stateless and thread-safe. */
public interface VideoDecoder {
  /**
   * Whether a file may be one that this reads.
   *
   * @param head its first bytes, at most 4,096
   * @return true if it should be tried
   */
  boolean recognizes(byte[] head);

  /**
   * Whether this reads video files at large. Those for one format alone are asked first.
   *
   * @return true if it reads the formats of cameras and browsers
   */
  boolean general();

  /**
   * Finds out where the frames of a file lie.
   *
   * @param file a regular file
   * @param limits what it may ask for
   * @param cancellation stops the reading, or null
   * @return what was found, with at least one frame; holds nothing open
   * @throws dev.lmm.ImageException if the file is damaged, has no frame, or is beyond the limits
   * @throws dev.lmm.CancelledException if it was stopped
   */
  VideoSource open(Path file, VideoLimits limits, @Nullable Cancellation cancellation);
}
