package dev.lmm.video.internal;

import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_decoder;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_flush_buffers;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_get_name;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_frame;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_packet;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EAGAIN;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;

import dev.lmm.Cancellation;
import dev.lmm.ImageException;
import dev.lmm.VideoLimits;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.jspecify.annotations.Nullable;

/** The decoded frames of a file, one after the other. For one thread; closing twice is harmless. */
final class DecodedStream implements AutoCloseable {
  /** More threads add memory for each, and little speed. */
  private static final int MOST_THREADS = 4;

  /** A decoder that fails so often at the end has nothing more. */
  private static final int MOST_FAILURES = 64;

  private final FrameIndex index;
  private final Demuxer demuxer;
  private final AVCodecContext codec;
  private final AVFrame frame;
  private int packetsRead;
  private int damaged;
  private boolean ended;
  private boolean afterSeek;
  private boolean sought;
  private boolean closed;

  DecodedStream(
      Path file, FrameIndex index, VideoLimits limits, @Nullable Cancellation cancellation) {
    this.index = index;
    this.demuxer = new Demuxer(file, cancellation);
    AVCodecContext made = null;
    try {
      AVCodecParameters parameters = demuxer.stream().codecpar();
      AVCodec decoder = avcodec_find_decoder(parameters.codec_id());
      String name = avcodec_get_name(parameters.codec_id()).getString();
      if (decoder == null || decoder.isNull()) {
        throw new ImageException(
            file + ": is coded as " + name + ", which this build of FFmpeg does not decode");
      }
      made = avcodec_alloc_context3(decoder);
      avcodec_parameters_to_context(made, parameters);
      made.pkt_timebase(demuxer.stream().time_base());
      made.thread_count(Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors()));
      made.max_pixels(Math.min(limits.maxPixels(), Integer.MAX_VALUE));
      int code = avcodec_open2(made, decoder, (AVDictionary) null);
      if (code < 0) {
        throw new ImageException(
            file
                + ": is coded as "
                + name
                + ", whose decoder cannot be opened ("
                + Natives.error(code)
                + ")");
      }
    } catch (RuntimeException | Error e) {
      if (made != null) {
        avcodec_free_context(made);
      }
      demuxer.close();
      throw e;
    }
    this.codec = made;
    this.frame = av_frame_alloc();
  }

  /** The next frame, valid until the next call, or null at the end. */
  @Nullable AVFrame next() {
    int failures = 0;
    while (true) {
      int code = avcodec_receive_frame(codec, frame);
      if (code == 0) {
        if (frame.pts() == AV_NOPTS_VALUE) {
          frame.pts(frame.best_effort_timestamp());
        }
        sought = afterSeek;
        afterSeek = false;
        return frame;
      }
      if (code == AVERROR_EOF() || (ended && ++failures > MOST_FAILURES)) {
        return null;
      }
      if (code != AVERROR_EAGAIN()) {
        damaged++;
      }
      if (!ended) {
        send();
      }
    }
  }

  private void send() {
    AVPacket packet = demuxer.next();
    ended = packet == null;
    int code = avcodec_send_packet(codec, packet);
    if (packet != null) {
      packetsRead++;
      if (code < 0) {
        damaged++;
      }
    }
  }

  /** Whether the last frame is the first since a seek. */
  boolean sought() {
    return sought;
  }

  /** How many packets were read, or seeking passed over. */
  int packetsRead() {
    return packetsRead;
  }

  /** How many packets the decoder failed on. */
  int damaged() {
    return damaged;
  }

  /** Goes to a key frame; if the file cannot seek, decoding goes on where it is. */
  void seek(int key) {
    if (demuxer.seek(index.keyTime(key))) {
      avcodec_flush_buffers(codec);
      packetsRead = index.keyPacket(key);
      ended = false;
      afterSeek = true;
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      av_frame_free(frame);
      avcodec_free_context(codec);
      demuxer.close();
    }
  }
}
