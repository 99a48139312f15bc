package dev.lmm;

import dev.lmm.spi.VideoEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A clip: frames of one size and when they were taken. Immutable.
 *
 * <p>The model is told the true times: sampling keeps them. Of a long video file only the frames to
 * look at are taken: {@code Video.open(file).frames(8)}.
 */
public final class Video {
  private static final Logger LOG = LoggerFactory.getLogger(Video.class);

  private final List<Image> frames;
  private final List<Double> seconds;
  private final List<Integer> indices;
  private final double fps;

  private Video(List<Image> frames, List<Double> seconds, List<Integer> indices, double fps) {
    this.frames = frames;
    this.seconds = seconds;
    this.indices = indices;
    this.fps = fps;
  }

  /**
   * A clip of frames in memory.
   *
   * @param frames in order, at least one, all of one size
   * @param fps how many of them there are in a second, positive
   * @return the clip
   * @throws InvalidRequestException if there is no frame, sizes differ, or fps is not positive
   */
  public static Video of(List<Image> frames, double fps) {
    List<Image> copy = List.copyOf(Check.notNull(frames, "frames"));
    Check.that(!copy.isEmpty(), "frames: are none; expected at least one");
    Check.that(fps > 0 && Double.isFinite(fps), "fps: is " + fps + "; expected a positive number");
    Image first = copy.get(0);
    List<Double> seconds = new ArrayList<>(copy.size());
    List<Integer> indices = new ArrayList<>(copy.size());
    for (int i = 0; i < copy.size(); i++) {
      Image frame = copy.get(i);
      Check.that(
          frame.width() == first.width() && frame.height() == first.height(),
          "frames: "
              + frame.source()
              + " has "
              + frame.width()
              + "x"
              + frame.height()
              + " pixels, the first has "
              + first.width()
              + "x"
              + first.height()
              + "; expected one size");
      seconds.add(i / fps);
      indices.add(i);
    }
    return new Video(copy, List.copyOf(seconds), List.copyOf(indices), fps);
  }

  /**
   * Opens a video file, of which no frame is decoded yet. Animated GIFs are read by lmm-core; MP4,
   * WebM, Matroska, QuickTime, AVI and others by lmm-video, which must be on the class path. The
   * content decides the format, never the file name.
   *
   * @param file the file
   * @return what it says of itself, to take frames from
   * @throws ImageException if it is missing, damaged, has no frame, is beyond {@link
   *     VideoLimits#standard()}, or nothing on the class path reads it
   */
  public static VideoFile open(Path file) {
    return VideoFile.open(file, VideoLimits.standard(), null);
  }

  /**
   * Opens a video file within limits of one's own.
   *
   * @param file the file
   * @param limits what it may ask for
   * @param cancellation stops the reading
   * @return what it says of itself, to take frames from
   * @throws ImageException if it is missing, damaged, has no frame, is beyond the limits, or
   *     nothing on the class path reads it
   * @throws CancelledException if it was stopped
   */
  public static VideoFile open(Path file, VideoLimits limits, Cancellation cancellation) {
    return VideoFile.open(file, limits, Check.notNull(cancellation, "cancellation"));
  }

  /** Frames of a file; the first need not be the file's first. */
  static Video taken(List<Image> frames, List<Double> seconds, List<Integer> indices, double fps) {
    return new Video(List.copyOf(frames), List.copyOf(seconds), List.copyOf(indices), fps);
  }

  /**
   * A folder of frames, in the order of their names. Hidden files are left out; a frame that cannot
   * be read is left out with a warning in the log.
   *
   * @param folder the folder
   * @param fps how many of them there are in a second, positive
   * @return the clip
   * @throws ImageException if it is no folder, or no frame can be read
   * @throws InvalidRequestException if sizes differ, or fps is not positive
   */
  public static Video read(Path folder, double fps) {
    List<Path> files;
    try (Stream<Path> all = Files.list(Check.notNull(folder, "folder"))) {
      files =
          all.filter(f -> Files.isRegularFile(f) && !f.getFileName().toString().startsWith("."))
              .sorted(Comparator.comparing(f -> f.getFileName().toString()))
              .toList();
    } catch (NotDirectoryException e) {
      throw new ImageException(
          folder
              + ": is no folder; expected a folder of frames. Video.open(file) reads video files",
          e);
    } catch (IOException e) {
      throw new ImageException(folder + ": cannot be listed: " + e, e);
    }
    List<Image> frames = new ArrayList<>();
    ImageException failure = null;
    for (Path file : files) {
      try {
        frames.add(Image.read(file));
      } catch (ImageException e) {
        LOG.warn("A frame is left out: {}", e.getMessage());
        failure = e;
      }
    }
    if (frames.isEmpty()) {
      throw new ImageException(
          folder
              + ": holds no frame that can be read"
              + (failure == null ? "; it has no files" : ": " + failure.getMessage()),
          failure);
    }
    return of(frames, fps);
  }

  /**
   * Exactly so many frames, spread evenly: of n frames those at floor(i * n / count).
   *
   * @param count at least 1, at most as many as there are
   * @return the shorter clip
   * @throws InvalidRequestException if there are not so many
   */
  public Video frames(int count) {
    return sampled(Sampling.spread(frames.size(), count));
  }

  /**
   * So many frames a second, as Qwen's processors take them: an even number, at least 4, at most
   * all.
   *
   * @param rate frames a second, positive
   * @return the shorter clip
   * @throws InvalidRequestException if the rate is not positive
   */
  public Video sample(double rate) {
    return sampled(Sampling.atRate(frames.size(), fps, rate));
  }

  /**
   * The frames that a rule chooses.
   *
   * @param rule for instance {@link FrameRule#qwenUtilities()}
   * @return the shorter clip
   * @throws InvalidRequestException if there are too few for the rule
   */
  public Video sample(FrameRule rule) {
    return sampled(Check.notNull(rule, "rule").indices(frames.size(), fps));
  }

  private Video sampled(int[] chosen) {
    List<Image> some = new ArrayList<>(chosen.length);
    List<Double> times = new ArrayList<>(chosen.length);
    List<Integer> from = new ArrayList<>(chosen.length);
    for (int index : chosen) {
      some.add(frames.get(index));
      times.add(seconds.get(index));
      from.add(indices.get(index));
    }
    return taken(some, times, from, fps * chosen.length / frames.size());
  }

  /**
   * The same clip with other pictures: the frames with something drawn on them.
   *
   * @param pictures one for each frame, all of one size
   * @return a clip of the same times
   * @throws InvalidRequestException if there are more or fewer, or sizes differ
   */
  public Video withFrames(List<Image> pictures) {
    Check.that(
        Check.notNull(pictures, "pictures").size() == frames.size(),
        "pictures: are " + pictures.size() + "; expected " + frames.size());
    return taken(of(pictures, fps).frames(), seconds, indices, fps);
  }

  /**
   * Writes the clip, shown at its own times. The ending decides the format: {@code .gif} (by
   * lmm-core; plays for ever, at most 50 frames a second, 256 colours a frame), {@code .mp4},
   * {@code .webm} and {@code .mkv} (by lmm-video). A file that was there is replaced when the new
   * one is whole.
   *
   * @param file whose folder exists
   * @throws ImageException if it cannot be written, or nothing on the class path writes this format
   */
  public void save(Path file) {
    String name = String.valueOf(Check.notNull(file, "file").getFileName());
    String ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    TreeSet<String> known = new TreeSet<>();
    for (VideoEncoder encoder :
        ServiceLoader.load(VideoEncoder.class, Video.class.getClassLoader())) {
      if (encoder.endings().contains(ending)) {
        replace(file, ending, encoder);
        return;
      }
      known.addAll(encoder.endings());
    }
    throw new ImageException(
        file
            + ": nothing on the class path writes this format; expected an ending of "
            + known
            + (known.contains("mp4")
                ? ""
                : ", or mp4, webm, mkv with the artifact dev.lmm:lmm-video"));
  }

  private void replace(Path file, String ending, VideoEncoder encoder) {
    // Beside it, so that moving it is one step.
    Path part = file.resolveSibling(".lmm-" + UUID.randomUUID() + "." + ending);
    try {
      encoder.encode(this, part);
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new ImageException(file + ": cannot be written: " + e, e);
    } finally {
      delete(part);
    }
  }

  private static void delete(Path part) {
    try {
      Files.deleteIfExists(part);
    } catch (IOException e) {
      LOG.warn("{} cannot be deleted: {}", part, e.toString());
    }
  }

  /**
   * Writes the frames as PNG into a folder, each named by its index in the clip that it was taken
   * from: {@code 000012.png}.
   *
   * @param folder made if it is not there
   * @throws ImageException if they cannot be written
   */
  public void saveFrames(Path folder) {
    try {
      Files.createDirectories(Check.notNull(folder, "folder"));
    } catch (IOException e) {
      throw new ImageException(folder + ": cannot be made: " + e, e);
    }
    for (int i = 0; i < frames.size(); i++) {
      frames.get(i).save(folder.resolve(String.format(Locale.ROOT, "%06d.png", indices.get(i))));
    }
  }

  /**
   * The frames.
   *
   * @return in order
   */
  public List<Image> frames() {
    return frames;
  }

  /**
   * When each frame was taken.
   *
   * @return seconds since the first frame of the clip it was sampled from
   */
  public List<Double> seconds() {
    return seconds;
  }

  /**
   * Which frame each was in the clip it was sampled from.
   *
   * @return from 0, rising
   */
  public List<Integer> indices() {
    return indices;
  }

  /**
   * How many frames there are in a second.
   *
   * @return after sampling, the lower rate
   */
  public double fps() {
    return fps;
  }

  @Override
  public String toString() {
    Image first = frames.get(0);
    return "Video["
        + frames.size()
        + " frames, "
        + first.width()
        + "x"
        + first.height()
        + ", "
        + fps
        + " a second]";
  }
}
