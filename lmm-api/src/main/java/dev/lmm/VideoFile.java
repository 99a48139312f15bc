package dev.lmm;

import dev.lmm.spi.VideoDecoder;
import dev.lmm.spi.VideoSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A video file: what it says of itself, and ways to take frames out of it. Only the frames that are
 * taken, and those they are told from, are decoded.
 *
 * <p>Frames are upright (the file's rotation is applied), in the order in which they are shown, and
 * counted from 0. A frame that cannot be decoded is left out with a warning in the log.
 *
 * <p>Immutable, thread-safe, holds nothing open: there is nothing to close.
 */
public final class VideoFile {
  private static final Logger LOG = LoggerFactory.getLogger(VideoFile.class);

  /** As many of its first bytes as tell a format. */
  private static final int HEAD = 4096;

  private final Path file;
  private final VideoSource source;
  private final VideoLimits limits;
  private final @Nullable Cancellation cancellation;

  private VideoFile(
      Path file, VideoSource source, VideoLimits limits, @Nullable Cancellation cancellation) {
    this.file = file;
    this.source = source;
    this.limits = limits;
    this.cancellation = cancellation;
  }

  static VideoFile open(Path file, VideoLimits limits, @Nullable Cancellation cancellation) {
    byte[] head = head(Check.notNull(file, "file"));
    Check.notNull(limits, "limits");
    for (VideoDecoder decoder : Holder.DECODERS) {
      if (decoder.recognizes(head)) {
        return new VideoFile(file, decoder.open(file, limits, cancellation), limits, cancellation);
      }
    }
    throw new ImageException(
        file
            + ": is no video that can be read. "
            + (Holder.DECODERS.stream().anyMatch(VideoDecoder::general)
                ? "Its first bytes are those of no known video format"
                : "Nothing on the class path reads video files but GIF; add the artifact"
                    + " dev.lmm:lmm-video, and FFmpeg's native library as it says"));
  }

  private static byte[] head(Path file) {
    try {
      if (Files.isDirectory(file)) {
        throw new ImageException(
            file + ": is a folder; expected a video file. Video.read(folder, fps) reads frames");
      }
      if (!Files.exists(file)) {
        throw new NoSuchFileException(file.toString());
      }
      // A pipe or a device could be waited for without end.
      if (!Files.isRegularFile(file)) {
        throw new ImageException(file + ": is no regular file; expected a video file");
      }
      try (InputStream in = Files.newInputStream(file)) {
        byte[] head = in.readNBytes(HEAD);
        if (head.length == 0) {
          throw new ImageException(file + ": is empty; expected a video file");
        }
        return head;
      }
    } catch (NoSuchFileException e) {
      throw new ImageException(file + ": there is no such file", e);
    } catch (IOException e) {
      throw new ImageException(file + ": cannot be read: " + e, e);
    }
  }

  /**
   * What stops the decoding of frames.
   *
   * @param switchOff the switch
   * @return a copy
   */
  public VideoFile cancelledBy(Cancellation switchOff) {
    return new VideoFile(file, source, limits, Check.notNull(switchOff, "cancellation"));
  }

  /**
   * The file.
   *
   * @return as it was given
   */
  public Path path() {
    return file;
  }

  /**
   * Width of the upright frames.
   *
   * @return pixels
   */
  public int width() {
    return source.width();
  }

  /**
   * Height of the upright frames.
   *
   * @return pixels
   */
  public int height() {
    return source.height();
  }

  /**
   * How many frames there are in the file.
   *
   * @return at least 1; counted, whatever the file says
   */
  public int frameCount() {
    return source.frameCount();
  }

  /**
   * How many frames there are in a second on average, as the file says.
   *
   * @return positive
   */
  public double fps() {
    return source.fps();
  }

  /**
   * When a frame is shown.
   *
   * @param index of the frame, from 0
   * @return seconds since the first frame
   * @throws InvalidRequestException if there is no such frame
   */
  public double secondsAt(int index) {
    Check.that(
        index >= 0 && index < frameCount(),
        "index: is " + index + "; expected 0 to " + (frameCount() - 1));
    return source.secondsAt(index);
  }

  /**
   * All frames.
   *
   * @return the clip
   * @throws InvalidRequestException if they take more memory than the limits allow
   * @throws ImageException if no frame can be decoded
   * @throws CancelledException if it was stopped
   */
  public Video frames() {
    return frames(frameCount());
  }

  /**
   * Exactly so many frames, spread evenly: of n frames those at floor(i * n / count).
   *
   * @param count at least 1, at most as many as there are
   * @return the clip
   * @throws InvalidRequestException if there are not so many, or they take more memory than the
   *     limits allow
   * @throws ImageException if no frame can be decoded
   * @throws CancelledException if it was stopped
   */
  public Video frames(int count) {
    return take(Sampling.spread(frameCount(), count));
  }

  /**
   * So many frames a second, as Qwen's processors take them: an even number, at least 4, at most
   * all.
   *
   * @param rate frames a second, positive
   * @return the clip
   * @throws InvalidRequestException if the rate is not positive, or the frames take more memory
   *     than the limits allow
   * @throws ImageException if no frame can be decoded
   * @throws CancelledException if it was stopped
   */
  public Video sample(double rate) {
    return take(Sampling.atRate(frameCount(), fps(), rate));
  }

  /**
   * The frames that a rule chooses.
   *
   * @param rule for instance {@link FrameRule#qwenUtilities()}
   * @return the clip
   * @throws InvalidRequestException if the frames take more memory than the limits allow
   * @throws ImageException if no frame can be decoded
   * @throws CancelledException if it was stopped
   */
  public Video sample(FrameRule rule) {
    return take(Check.notNull(rule, "rule").indices(frameCount(), fps()));
  }

  private Video take(int[] indices) {
    long bytes = (long) width() * height() * 3 * indices.length;
    Check.that(
        bytes <= limits.maxBytes(),
        file
            + ": "
            + indices.length
            + " frames of "
            + width()
            + "x"
            + height()
            + " pixels take "
            + bytes
            + " bytes; the limit is "
            + limits.maxBytes()
            + ". Take fewer frames");
    List<Image> frames = new ArrayList<>(indices.length);
    List<Double> seconds = new ArrayList<>(indices.length);
    List<Integer> taken = new ArrayList<>(indices.length);
    source.decode(
        indices,
        cancellation,
        (index, frame) -> {
          frames.add(frame);
          seconds.add(source.secondsAt(index));
          taken.add(index);
        });
    if (frames.isEmpty()) {
      throw new ImageException(file + ": none of its frames can be decoded; the file is damaged");
    }
    if (frames.size() < indices.length) {
      LOG.warn(
          "{}: {} of {} frames cannot be decoded and are left out",
          file,
          indices.length - frames.size(),
          indices.length);
    }
    return Video.taken(frames, seconds, taken, fps() * frames.size() / frameCount());
  }

  @Override
  public String toString() {
    return "VideoFile["
        + file
        + ", "
        + frameCount()
        + " frames, "
        + width()
        + "x"
        + height()
        + ", "
        + fps()
        + " a second]";
  }

  /** Looks the decoders up once; those for one format alone come first. */
  private static final class Holder {
    static final List<VideoDecoder> DECODERS =
        ServiceLoader.load(VideoDecoder.class, VideoFile.class.getClassLoader()).stream()
            .map(ServiceLoader.Provider::get)
            .sorted((a, b) -> Boolean.compare(a.general(), b.general()))
            .toList();
  }
}
