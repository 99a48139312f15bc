package dev.lmm.video;

import dev.lmm.Video;
import dev.lmm.spi.VideoEncoder;
import dev.lmm.video.internal.FrameWriter;
import java.nio.file.Path;
import java.util.Set;

/**
 * Writes video files by FFmpeg: MP4 and Matroska in H.264 (by OpenH264, the one encoder of H.264
 * among those under the LGPL), WebM in VP9. Found by {@link Video#save(Path)}; stateless and
 * thread-safe.
 */
public final class FfmpegEncoder implements VideoEncoder {
  /** For the service loader. */
  public FfmpegEncoder() {}

  @Override
  public Set<String> endings() {
    return Set.of("mp4", "mkv", "webm");
  }

  @Override
  public void encode(Video video, Path file) {
    try (FrameWriter writer = FrameWriter.open(video, file)) {
      writer.write();
    }
  }
}
