package dev.lmm.examples;

import dev.lmm.Grounder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Tracked;
import dev.lmm.Video;
import java.nio.file.Path;
import java.util.List;

/** Follows something through a video. */
public final class Follow {
  private Follow() {}

  /**
   * Prints where it is in each frame, and writes the frames with its box and path.
   *
   * @param arguments model, folder of frames, frames a second, what to follow, folder to write to
   */
  public static void main(String[] arguments) {
    Video video = Video.read(Path.of(arguments[1]), Double.parseDouble(arguments[2]));
    try (Grounder grounder = Models.grounder(arguments[0]).load()) {
      Tracked tracked = grounder.track(video, arguments[3]).run();
      System.out.print(tracked.csv());
      List<Image> drawn = tracked.draw(video);
      for (int i = 0; i < drawn.size(); i++) {
        drawn.get(i).save(Path.of(arguments[4], "frame-%03d.png".formatted(i)));
      }
    }
  }
}
