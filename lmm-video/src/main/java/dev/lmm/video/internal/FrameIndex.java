package dev.lmm.video.internal;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_VP8;
import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_FLAG_DISCARD;
import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_FLAG_KEY;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;

import dev.lmm.Cancellation;
import dev.lmm.ImageException;
import dev.lmm.VideoLimits;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the frames of a stream lie, from its packets, of which none is decoded. Immutable.
 *
 * <p>Packets are counted in the order in which they are decoded, frames in the order in which they
 * are shown.
 */
public final class FrameIndex {
  private static final Logger LOG = LoggerFactory.getLogger(FrameIndex.class);

  /** Where a file says nothing sensible. */
  private static final double USUAL_FPS = 25;

  private final int width;
  private final int height;
  private final Turn turn;
  private final double fps;
  private final double unit;

  /** Times of the frames, rising; of no meaning if not {@link #timed}. */
  private final long[] times;

  /** For each frame, the packet that holds it. */
  private final int[] packets;

  /** The packets that decoding may begin with, rising, and their times. */
  private final int[] keys;

  private final long[] keyTimes;

  /** Whether every frame has a time of its own, by which it is found. */
  private final boolean timed;

  private FrameIndex(
      int width,
      int height,
      Turn turn,
      double fps,
      double unit,
      boolean timed,
      long[] times,
      int[] packets,
      int[] keys,
      long[] keyTimes) {
    this.width = width;
    this.height = height;
    this.turn = turn;
    this.fps = fps;
    this.unit = unit;
    this.timed = timed;
    this.times = times;
    this.packets = packets;
    this.keys = keys;
    this.keyTimes = keyTimes;
  }

  /**
   * Reads the packets of a file.
   *
   * @param file the file
   * @param limits what it may ask for
   * @param cancellation stops the reading, or null
   * @return at least one frame
   */
  public static FrameIndex of(Path file, VideoLimits limits, @Nullable Cancellation cancellation) {
    try (Demuxer demuxer = new Demuxer(file, cancellation)) {
      AVStream stream = demuxer.stream();
      AVCodecParameters codec = stream.codecpar();
      int width = codec.width();
      int height = codec.height();
      if (width < 1 || height < 1) {
        throw new ImageException(
            file + ": its video has no size, " + width + "x" + height + "; the file is damaged");
      }
      if ((long) width * height > Math.min(limits.maxPixels(), (Integer.MAX_VALUE - 8) / 3)) {
        throw new ImageException(
            file
                + ": its frames have "
                + width
                + "x"
                + height
                + " pixels; the limit is "
                + limits.maxPixels()
                + " pixels");
      }
      Packets packets = new Packets(file, limits, codec.codec_id() == AV_CODEC_ID_VP8);
      for (AVPacket packet = demuxer.next(); packet != null; packet = demuxer.next()) {
        packets.add(packet);
      }
      if (packets.shown == 0) {
        throw new ImageException(file + ": has a video stream without frames");
      }
      long said = stream.nb_frames();
      if (said > packets.count) {
        LOG.warn(
            "{}: says that it has {} frames, {} are there; it is cut off or damaged",
            file,
            said,
            packets.count);
      }
      FrameIndex index =
          packets.index(width, height, Turn.of(codec), rate(stream), ratio(stream.time_base(), 1));
      double seconds = index.secondsAt(index.frameCount() - 1);
      if (seconds > limits.maxSeconds()) {
        throw new ImageException(
            String.format(
                Locale.ROOT,
                "%s: takes %.1f seconds; the limit is %.1f",
                file,
                seconds,
                limits.maxSeconds()));
      }
      return index;
    }
  }

  private static double rate(AVStream stream) {
    double average = ratio(stream.avg_frame_rate(), 0);
    return average > 0 ? average : ratio(stream.r_frame_rate(), USUAL_FPS);
  }

  private static double ratio(AVRational rational, double otherwise) {
    return rational.num() > 0 && rational.den() > 0
        ? (double) rational.num() / rational.den()
        : otherwise;
  }

  /** Width of the upright frames. */
  int width() {
    return turn.swapsSides() ? height : width;
  }

  /** Height of the upright frames. */
  int height() {
    return turn.swapsSides() ? width : height;
  }

  int codedWidth() {
    return width;
  }

  int codedHeight() {
    return height;
  }

  Turn turn() {
    return turn;
  }

  double fps() {
    return fps;
  }

  boolean timed() {
    return timed;
  }

  int frameCount() {
    return packets.length;
  }

  double secondsAt(int frame) {
    return timed ? (times[frame] - times[0]) * unit : frame / fps;
  }

  long time(int frame) {
    return times[frame];
  }

  int packet(int frame) {
    return packets[frame];
  }

  /** The frame of a time, or -1. */
  int frameAt(long time) {
    return Math.max(-1, Arrays.binarySearch(times, time));
  }

  /** The last key from which a frame can be told, or -1 if there is none: from the beginning. */
  int keyOf(int frame) {
    int at = Arrays.binarySearch(keys, packets[frame]);
    int key = at >= 0 ? at : -at - 2;
    // What is shown before a key frame but comes after it is told from earlier ones.
    while (key >= 0 && keyTimes[key] > times[frame]) {
      key--;
    }
    return key;
  }

  int keyPacket(int key) {
    return keys[key];
  }

  long keyTime(int key) {
    return keyTimes[key];
  }

  /** The packets as they are read. */
  private static final class Packets {
    private final Path file;
    private final VideoLimits limits;
    private final boolean vp8;
    private long[] times = new long[1024];
    private boolean[] key = new boolean[1024];
    private boolean[] hidden = new boolean[1024];
    private int count;
    private int shown;
    private boolean timed = true;

    Packets(Path file, VideoLimits limits, boolean vp8) {
      this.file = file;
      this.limits = limits;
      this.vp8 = vp8;
    }

    void add(AVPacket packet) {
      if (count == times.length) {
        int more = 2 * count;
        times = Arrays.copyOf(times, more);
        key = Arrays.copyOf(key, more);
        hidden = Arrays.copyOf(hidden, more);
      }
      times[count] = packet.pts();
      key[count] = (packet.flags() & AV_PKT_FLAG_KEY) != 0;
      hidden[count] =
          (packet.flags() & AV_PKT_FLAG_DISCARD) != 0
              || packet.size() == 0
              || (vp8 && (packet.data().get() & 0x10) == 0); // the show_frame bit
      timed &= times[count] != AV_NOPTS_VALUE;
      if (!hidden[count]) {
        shown++;
      }
      count++;
      if (count > limits.maxFrames()) {
        throw new ImageException(
            file + ": has more than " + limits.maxFrames() + " frames, which is the limit");
      }
    }

    FrameIndex index(int width, int height, Turn turn, double fps, double unit) {
      Integer[] order = new Integer[shown];
      int at = 0;
      int keys = 0;
      for (int i = 0; i < count; i++) {
        if (!hidden[i]) {
          order[at++] = i;
        }
        keys += key[i] ? 1 : 0;
      }
      if (timed) {
        Arrays.sort(order, (a, b) -> Long.compare(times[a], times[b]));
        for (int i = 1; i < shown && timed; i++) {
          timed = times[order[i]] != times[order[i - 1]];
        }
        if (!timed) {
          Arrays.sort(order);
        }
      }
      long[] frameTimes = new long[shown];
      int[] framePackets = new int[shown];
      for (int i = 0; i < shown; i++) {
        framePackets[i] = order[i];
        frameTimes[i] = times[order[i]];
      }
      int[] keyPackets = new int[keys];
      long[] keyTimes = new long[keys];
      for (int i = 0, k = 0; i < count; i++) {
        if (key[i]) {
          keyPackets[k] = i;
          keyTimes[k++] = times[i];
        }
      }
      return new FrameIndex(
          width, height, turn, fps, unit, timed, frameTimes, framePackets, keyPackets, keyTimes);
    }
  }
}
