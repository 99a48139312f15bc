package dev.lmm.video.internal;

import static org.bytedeco.ffmpeg.global.avutil.AVCOL_PRI_UNSPECIFIED;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_SPC_BT470BG;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_SPC_SMPTE170M;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_TRC_UNSPECIFIED;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BILINEAR;
import static org.bytedeco.ffmpeg.global.swscale.sws_alloc_context;
import static org.bytedeco.ffmpeg.global.swscale.sws_freeContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_scale_frame;

import dev.lmm.Image;
import dev.lmm.ImageException;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.swscale.SwsContext;
import org.bytedeco.javacpp.BytePointer;

/**
 * Makes RGB of decoded frames, as PyAV's {@code to_ndarray("rgb24")} does: by swscale, bilinear, in
 * the colour space that the frame names. A frame of another size than the stream's is brought to
 * it. For one thread; closing twice is harmless.
 */
final class Converter implements AutoCloseable {
  /** FFmpeg's AV_FRAME_FLAG_CORRUPT, which the bindings leave out. */
  private static final int CORRUPT = 1;

  private final Path file;
  private final int width;
  private final int height;
  private final Turn turn;
  private final SwsContext context;
  private boolean closed;

  Converter(Path file, int width, int height, Turn turn) {
    Natives.require();
    this.file = file;
    this.width = width;
    this.height = height;
    this.turn = turn;
    this.context = sws_alloc_context();
    context.flags(SWS_BILINEAR);
  }

  /** Whether a decoder says itself that it made a frame up. */
  static boolean damaged(AVFrame frame) {
    return (frame.flags() & CORRUPT) != 0;
  }

  Image convert(AVFrame frame, String source) {
    AVFrame rgb = av_frame_alloc();
    try {
      rgb.format(AV_PIX_FMT_RGB24);
      rgb.width(width);
      rgb.height(height);
      colours(frame, rgb);
      int code = av_frame_get_buffer(rgb, 0);
      code = code < 0 ? code : sws_scale_frame(context, rgb, frame);
      if (code < 0) {
        throw new ImageException(
            file + ": a frame cannot be converted to RGB (" + Natives.error(code) + ")");
      }
      byte[] pixels = new byte[width * height * 3];
      int stride = rgb.linesize(0);
      BytePointer rows = rgb.data(0);
      for (int y = 0; y < height; y++) {
        rows.position((long) y * stride).get(pixels, y * width * 3, width * 3);
      }
      byte[] upright = turn.upright(pixels, width, height);
      return turn.swapsSides()
          ? Image.ofRgb(height, width, upright, source)
          : Image.ofRgb(width, height, upright, source);
    } finally {
      av_frame_free(rgb);
    }
  }

  /**
   * As PyAV has it: RGB is said to be in the frame's own space and range, and nothing is said of
   * transfer and primaries, so that high dynamic range stays as it is coded.
   */
  private static void colours(AVFrame frame, AVFrame rgb) {
    if (frame.colorspace() == AVCOL_SPC_BT470BG) {
      frame.colorspace(AVCOL_SPC_SMPTE170M); // the same numbers
    }
    frame.color_trc(AVCOL_TRC_UNSPECIFIED);
    frame.color_primaries(AVCOL_PRI_UNSPECIFIED);
    rgb.colorspace(frame.colorspace());
    rgb.color_range(frame.color_range());
    rgb.color_trc(AVCOL_TRC_UNSPECIFIED);
    rgb.color_primaries(AVCOL_PRI_UNSPECIFIED);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      sws_freeContext(context);
    }
  }
}
