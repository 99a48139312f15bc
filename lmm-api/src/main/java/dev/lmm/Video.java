package dev.lmm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A clip: frames of one size and how fast they were taken. Immutable.
 *
 * <p>The model is told the true times: sampling keeps them.
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
              + ": is no folder; expected a folder of frames. Video files need a decoder, which is"
              + " not on the class path",
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
    Check.that(
        count > 0 && count <= frames.size(),
        "frames: are asked to be " + count + "; expected 1 to " + frames.size());
    return sampled(count);
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
    Check.that(
        rate > 0 && Double.isFinite(rate), "fps: is " + rate + "; expected a positive number");
    int most = frames.size() - frames.size() % 2;
    double wanted = Math.min(Math.max(frames.size() / fps * rate, 4), Math.min(most, 768));
    int count = (int) Math.floor(wanted / 2) * 2;
    return count == 0 ? this : sampled(count);
  }

  private Video sampled(int count) {
    List<Image> some = new ArrayList<>(count);
    List<Double> times = new ArrayList<>(count);
    List<Integer> from = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int index = (int) ((long) i * frames.size() / count);
      some.add(frames.get(index));
      times.add(seconds.get(index));
      from.add(indices.get(index));
    }
    return new Video(
        List.copyOf(some), List.copyOf(times), List.copyOf(from), fps * count / frames.size());
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
