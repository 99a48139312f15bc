package dev.lmm.video.internal;

import static org.bytedeco.ffmpeg.global.avcodec.AVDISCARD_ALL;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avformat.AVSEEK_FLAG_BACKWARD;
import static org.bytedeco.ffmpeg.global.avformat.AV_DISPOSITION_ATTACHED_PIC;
import static org.bytedeco.ffmpeg.global.avformat.av_find_best_stream;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.av_seek_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_alloc_context;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_find_stream_info;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_STREAM_NOT_FOUND;
import static org.bytedeco.ffmpeg.global.avutil.AVMEDIA_TYPE_VIDEO;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_free;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.ImageException;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVInputFormat;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The packets of a file's best video stream. For one thread; closing twice is harmless. */
final class Demuxer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Demuxer.class);

  /**
   * Containers that hold their own data. Playlists and the like (hls, dash, concat, image2, sdp)
   * name other files, and so are not among them.
   */
  private static final String FORMATS =
      "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,ivf,h264,hevc,obu,m4v,mjpeg,mxf,nut,rm,"
          + "wtv,dv,gif,apng,yuv4mpegpipe";

  private final Path file;
  private final @Nullable Cancellation cancellation;
  private final AVFormatContext context;
  private final AVPacket packet;
  private final int best;
  private boolean closed;

  Demuxer(Path file, @Nullable Cancellation cancellation) {
    Natives.require();
    this.file = file;
    this.cancellation = cancellation;
    AVFormatContext opened = avformat_alloc_context();
    AVDictionary options = new AVDictionary(null);
    // "file:" keeps a name that looks like another protocol's from being one.
    try (BytePointer name = Natives.utf8("file:" + file.toAbsolutePath())) {
      av_dict_set(options, "protocol_whitelist", "file", 0);
      av_dict_set(options, "format_whitelist", FORMATS, 0);
      int code = avformat_open_input(opened, name, (AVInputFormat) null, options);
      if (code < 0) {
        // The context is freed by then.
        throw new ImageException(
            file
                + ": is no video that can be read, or its beginning or index is damaged or missing"
                + " ("
                + Natives.error(code)
                + ")");
      }
    } finally {
      av_dict_free(options);
    }
    this.context = opened;
    this.packet = av_packet_alloc();
    try {
      this.best = best();
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private int best() {
    int code = avformat_find_stream_info(context, (PointerPointer<?>) null);
    if (code < 0) {
      throw new ImageException(file + ": cannot be looked into (" + Natives.error(code) + ")");
    }
    int found = av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, (AVCodec) null, 0);
    if (found < 0 && found != AVERROR_STREAM_NOT_FOUND()) {
      throw new ImageException(
          file + ": no video stream that can be decoded (" + Natives.error(found) + ")");
    }
    // The picture on the sleeve of a song is no video.
    if (found < 0 || (context.streams(found).disposition() & AV_DISPOSITION_ATTACHED_PIC) != 0) {
      throw new ImageException(file + ": has no video stream; it may hold sound alone");
    }
    for (int i = 0; i < context.nb_streams(); i++) {
      if (i != found) {
        context.streams(i).discard(AVDISCARD_ALL);
      }
    }
    return found;
  }

  AVStream stream() {
    return context.streams(best);
  }

  /**
   * The next packet of the stream, valid until the next call, or null at the end. A file that
   * breaks off ends there.
   */
  @Nullable AVPacket next() {
    while (true) {
      if (cancellation != null) {
        cancellation.check();
      }
      if (Thread.currentThread().isInterrupted()) {
        throw new CancelledException("The reading of " + file + " was interrupted");
      }
      av_packet_unref(packet);
      int code = av_read_frame(context, packet);
      if (code < 0) {
        if (code != AVERROR_EOF()) {
          LOG.warn("{}: breaks off ({})", file, Natives.error(code));
        }
        return null;
      }
      if (packet.stream_index() == best) {
        return packet;
      }
    }
  }

  /** Goes back to the last key frame at or before a time; says whether it could. */
  boolean seek(long timestamp) {
    return av_seek_frame(context, best, timestamp, AVSEEK_FLAG_BACKWARD) >= 0;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      av_packet_free(packet);
      avformat_close_input(context);
    }
  }
}
