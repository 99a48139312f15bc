package dev.lmm.cli;

import dev.lmm.Video;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The videos of a command, and how they are sampled. */
final class Videos {
  @Option(
      names = "--video",
      paramLabel = "PATH",
      description = "A folder of frames in the order of their names; repeatable.")
  List<String> paths = new ArrayList<>();

  @Option(names = "--frames", description = "Takes so many frames, spread evenly.")
  @Nullable Integer frames;

  @Option(
      names = "--fps",
      description = "How fast the frames of a folder were taken; 2 a second by default.")
  @Nullable Double fps;

  /** Reads and samples. A folder of frames is the clip: all of them are taken unless told. */
  List<Video> read(ModelCommand command) {
    if (frames != null && frames < 1) {
      throw command.wrong("--frames is " + frames + ", expected at least 1");
    }
    if (fps != null && !(fps > 0 && fps <= 1000)) {
      throw command.wrong("--fps is " + fps + ", expected above 0, at most 1000");
    }
    List<Video> videos = new ArrayList<>();
    for (String path : paths) {
      Path file = command.path(path);
      if (Files.exists(file) && !Files.isDirectory(file) && frames != null && fps != null) {
        throw command.wrong("--frames and --fps exclude each other for a file");
      }
      Video video = Video.read(file, fps == null ? 2 : fps);
      videos.add(frames == null ? video : video.frames(frames));
    }
    return videos;
  }
}
