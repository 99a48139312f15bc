package dev.lmm.video;

import dev.lmm.Cancellation;
import dev.lmm.VideoLimits;
import dev.lmm.spi.VideoDecoder;
import dev.lmm.spi.VideoSource;
import dev.lmm.video.internal.FrameIndex;
import dev.lmm.video.internal.FrameReader;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Reads MP4, WebM, Matroska, QuickTime, AVI, MPEG and other video files by FFmpeg. Pixels are those
 * of PyAV's {@code to_ndarray("rgb24")}.
 *
 * <p>Of several streams the one that FFmpeg deems best is taken; sound is passed over. The file's
 * rotation is applied. Nothing but the file itself is ever opened, whatever it names. Found by
 * {@link dev.lmm.Video#open(Path)}; stateless and thread-safe.
 */
public final class FfmpegDecoder implements VideoDecoder {
  /** For the service loader. */
  public FfmpegDecoder() {}

  /** Any file may be one: FFmpeg tells formats by looking into them. */
  @Override
  public boolean recognizes(byte[] head) {
    return true;
  }

  @Override
  public boolean general() {
    return true;
  }

  @Override
  public VideoSource open(Path file, VideoLimits limits, @Nullable Cancellation cancellation) {
    return new FrameReader(file, limits, FrameIndex.of(file, limits, cancellation));
  }
}
