package dev.lmm.video.internal;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_FLAG_GLOBAL_HEADER;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_rescale_ts;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_encoder_by_name;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_from_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_packet;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_frame;
import static org.bytedeco.ffmpeg.global.avformat.AVFMT_GLOBALHEADER;
import static org.bytedeco.ffmpeg.global.avformat.AVIO_FLAG_WRITE;
import static org.bytedeco.ffmpeg.global.avformat.av_interleaved_write_frame;
import static org.bytedeco.ffmpeg.global.avformat.av_write_trailer;
import static org.bytedeco.ffmpeg.global.avformat.avformat_alloc_output_context2;
import static org.bytedeco.ffmpeg.global.avformat.avformat_free_context;
import static org.bytedeco.ffmpeg.global.avformat.avformat_new_stream;
import static org.bytedeco.ffmpeg.global.avformat.avformat_write_header;
import static org.bytedeco.ffmpeg.global.avformat.avio_closep;
import static org.bytedeco.ffmpeg.global.avformat.avio_open;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_MPEG;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_SPC_SMPTE170M;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EAGAIN;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_free;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_make_writable;
import static org.bytedeco.ffmpeg.global.swscale.SWS_ACCURATE_RND;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BICUBIC;
import static org.bytedeco.ffmpeg.global.swscale.sws_alloc_context;
import static org.bytedeco.ffmpeg.global.swscale.sws_freeContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_scale_frame;

import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.Video;
import java.nio.file.Path;
import java.util.Locale;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVIOContext;
import org.bytedeco.ffmpeg.avformat.AVOutputFormat;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.bytedeco.ffmpeg.swscale.SwsContext;
import org.bytedeco.javacpp.BytePointer;

/** Writes one file. For one thread; closing twice is harmless. */
public final class FrameWriter implements AutoCloseable {
  /** Times are told in parts of a second. */
  private static final int TICKS = 60_000;

  /** Of H.264, which wants a rate: bits for a pixel, at least so many a second. */
  private static final double BITS = 0.3;

  private static final long FEWEST_BITS = 400_000;
  private static final int MOST_SIDE = 16_384;

  private final Video video;
  private final Path file;
  private final boolean h264;
  private final AVFormatContext container = new AVFormatContext(null);
  private final AVIOContext output = new AVIOContext(null);
  private final AVFrame rgb = av_frame_alloc();
  private final AVFrame yuv = av_frame_alloc();
  private final AVPacket packet = av_packet_alloc();
  private final SwsContext scaler = sws_alloc_context();
  private final AVCodecContext codec;
  private final AVStream stream;
  private boolean closed;

  private FrameWriter(Video video, Path file, String name, boolean h264, AVCodec encoder) {
    this.video = video;
    this.file = file;
    this.h264 = h264;
    this.codec = avcodec_alloc_context3(encoder);
    try {
      try (BytePointer path = Natives.utf8(file.toString())) {
        check(
            avformat_alloc_output_context2(
                container,
                (AVOutputFormat) null,
                name.endsWith(".mp4") ? "mp4" : h264 ? "matroska" : "webm",
                file.toString()),
            "no container");
        configure();
        AVDictionary options = options();
        int code = avcodec_open2(codec, encoder, options);
        av_dict_free(options);
        check(code, "the encoder does not take it");
        this.stream = avformat_new_stream(container, encoder);
        check(avcodec_parameters_from_context(stream.codecpar(), codec), "no stream");
        stream.time_base(ticks());
        check(avio_open(output, path, AVIO_FLAG_WRITE), "it cannot be opened");
      }
      container.pb(output);
      frame(rgb, AV_PIX_FMT_RGB24);
      frame(yuv, AV_PIX_FMT_YUV420P);
      yuv.colorspace(AVCOL_SPC_SMPTE170M);
      yuv.color_range(AVCOL_RANGE_MPEG);
      scaler.flags(SWS_BICUBIC | SWS_ACCURATE_RND);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /**
   * A writer.
   *
   * @param video what is written
   * @param file ends in mp4, mkv or webm
   * @return to be closed
   */
  public static FrameWriter open(Video video, Path file) {
    Natives.require();
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    boolean h264 = !name.endsWith(".webm");
    AVCodec encoder = avcodec_find_encoder_by_name(h264 ? "libopenh264" : "libvpx-vp9");
    if (encoder == null || encoder.isNull()) {
      throw new ImageException(
          file
              + ": is not written: this build of FFmpeg has no encoder of "
              + (h264 ? "H.264 (OpenH264)" : "VP9"));
    }
    return new FrameWriter(video, file, name, h264, encoder);
  }

  private void configure() {
    Image first = video.frames().get(0);
    // Colours have half the resolution: of H.264, sides are even. The last row is repeated.
    int width = even(first.width());
    int height = even(first.height());
    if (width > MOST_SIDE || height > MOST_SIDE) {
      throw failure("frames have " + width + "x" + height + " pixels; at most 16384 a side", 0);
    }
    codec.width(width);
    codec.height(height);
    codec.pix_fmt(AV_PIX_FMT_YUV420P);
    codec.time_base(ticks());
    codec.framerate(new AVRational().num((int) Math.max(1, Math.round(video.fps()))).den(1));
    codec.gop_size(60);
    codec.colorspace(AVCOL_SPC_SMPTE170M);
    codec.color_range(AVCOL_RANGE_MPEG);
    double rate = Math.max(1, Math.min(60, video.fps()));
    codec.bit_rate(
        h264 ? Math.max(FEWEST_BITS, (long) (width * (double) height * rate * BITS)) : 0);
    if ((container.oformat().flags() & AVFMT_GLOBALHEADER) != 0) {
      codec.flags(codec.flags() | AV_CODEC_FLAG_GLOBAL_HEADER);
    }
  }

  private static int even(int side) {
    return side + (side & 1);
  }

  private static AVRational ticks() {
    return new AVRational().num(1).den(TICKS);
  }

  private AVDictionary options() {
    AVDictionary options = new AVDictionary(null);
    if (h264) {
      av_dict_set(options, "allow_skip_frames", "0", 0);
    } else {
      av_dict_set(options, "crf", "24", 0);
      av_dict_set(options, "deadline", "good", 0);
      av_dict_set(options, "cpu-used", "4", 0);
    }
    return options;
  }

  private void frame(AVFrame frame, int format) {
    frame.format(format);
    frame.width(codec.width());
    frame.height(codec.height());
    check(av_frame_get_buffer(frame, 0), "no memory");
  }

  /** Writes all frames. */
  public void write() {
    AVDictionary options = new AVDictionary(null);
    av_dict_set(options, "movflags", "+faststart", 0);
    int code = avformat_write_header(container, options);
    av_dict_free(options);
    check(code, "its header cannot be written");
    long before = -1;
    double first = video.seconds().get(0);
    for (int i = 0; i < video.frames().size(); i++) {
      fill(video.frames().get(i));
      check(av_frame_make_writable(yuv), "no memory");
      check(sws_scale_frame(scaler, yuv, rgb), "a frame cannot be converted");
      before = Math.max(before + 1, Math.round((video.seconds().get(i) - first) * TICKS));
      yuv.pts(before);
      yuv.duration(Math.round(TICKS / video.fps()));
      check(avcodec_send_frame(codec, yuv), "a frame cannot be encoded");
      drain();
    }
    check(avcodec_send_frame(codec, null), "the last frames cannot be encoded");
    drain();
    check(av_write_trailer(container), "its end cannot be written");
  }

  /** The picture, its last column and row repeated where sides must be even. */
  private void fill(Image image) {
    check(av_frame_make_writable(rgb), "no memory");
    BytePointer rows = rgb.data(0);
    int width = image.width();
    byte[] row = new byte[codec.width() * 3];
    for (int y = 0; y < codec.height(); y++) {
      System.arraycopy(image.rgb(), Math.min(y, image.height() - 1) * width * 3, row, 0, width * 3);
      if (codec.width() > width) {
        System.arraycopy(row, (width - 1) * 3, row, width * 3, 3);
      }
      rows.position((long) y * rgb.linesize(0)).put(row, 0, row.length);
    }
  }

  private void drain() {
    while (true) {
      int code = avcodec_receive_packet(codec, packet);
      if (code == AVERROR_EAGAIN() || code == AVERROR_EOF()) {
        return;
      }
      check(code, "a frame cannot be encoded");
      if (packet.duration() == 0) {
        packet.duration(Math.round(TICKS / video.fps()));
      }
      packet.stream_index(stream.index());
      av_packet_rescale_ts(packet, codec.time_base(), stream.time_base());
      check(av_interleaved_write_frame(container, packet), "it cannot be written");
    }
  }

  private void check(int code, String what) {
    if (code < 0) {
      throw failure(what, code);
    }
  }

  private ImageException failure(String what, int code) {
    return new ImageException(
        file + ": is not written: " + what + (code == 0 ? "" : " (" + Natives.error(code) + ")"));
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    av_packet_free(packet);
    av_frame_free(rgb);
    av_frame_free(yuv);
    sws_freeContext(scaler);
    avcodec_free_context(codec);
    if (!container.isNull()) {
      if (!output.isNull()) {
        avio_closep(output);
        container.pb(new AVIOContext(null));
      }
      avformat_free_context(container);
    }
  }
}
