package dev.lmm.cli;

import dev.lmm.FrameRule;
import dev.lmm.Video;
import dev.lmm.VideoFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The videos of a command, and how they are sampled. */
final class Videos {
  private static final double USUAL_FPS = 2;

  @Option(
      names = "--video",
      paramLabel = "PATH",
      description =
          "A video file, or a folder of frames in the order of their names; repeatable where"
              + " several make sense.")
  List<String> paths = new ArrayList<>();

  @Option(names = "--frames", description = "Takes exactly so many frames, spread evenly.")
  @Nullable Integer frames;

  @Option(
      names = "--fps",
      description = {
        "Of a file: takes so many frames a second by the model's own rule, 2 by default.",
        "Of a folder: how fast its frames were taken, 2 a second by default."
      })
  @Nullable Double fps;

  @Option(
      names = "--qwen-utils",
      description = "Takes frames, and in chat shares out pixels, as qwen-vl-utils does.")
  boolean utilities;

  /** Reads and samples. A folder of frames is the clip: all of them are taken unless told. */
  List<Video> read(ModelCommand command) {
    if (frames != null && frames < 1) {
      throw command.wrong("--frames is " + frames + ", expected at least 1");
    }
    if (fps != null && !(fps > 0 && fps <= 1000)) {
      throw command.wrong("--fps is " + fps + ", expected above 0, at most 1000");
    }
    if (frames != null && utilities) {
      throw command.wrong("--frames and --qwen-utils exclude each other");
    }
    List<Video> videos = new ArrayList<>();
    for (String path : paths) {
      Path file = command.path(path);
      videos.add(Files.isDirectory(file) ? folder(file) : file(file, command));
    }
    return videos;
  }

  private Video folder(Path folder) {
    Video video = Video.read(folder, fps == null ? USUAL_FPS : fps);
    if (utilities) {
      return video.sample(FrameRule.qwenUtilities());
    }
    return frames == null ? video : video.frames(frames);
  }

  private Video file(Path path, ModelCommand command) {
    if (frames != null && fps != null) {
      throw command.wrong("--frames and --fps exclude each other for a file");
    }
    VideoFile file = Video.open(path);
    if (frames != null) {
      return file.frames(frames);
    }
    double rate = fps == null ? USUAL_FPS : fps;
    return utilities ? file.sample(FrameRule.qwenUtilities().withFps(rate)) : file.sample(rate);
  }
}
