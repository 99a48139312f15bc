package dev.lmm.video;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Grounder;
import dev.lmm.Models;
import dev.lmm.Tracked;
import dev.lmm.Video;
import dev.lmm.VideoFile;
import dev.lmm.tiny.TinyPictures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What docs/video.md shows. */
class VideoPageTest {
  @Test
  void opensTracksAndSaves() throws IOException {
    try (Grounder qwen = Models.grounder("tiny-qwen2.5-vl").load()) {
      TinyPictures.clip().save(Path.of("cars.mp4"));
      VideoFile film = Video.open(Path.of("cars.mp4"));
      Video eight = film.frames(8); // exactly so many, spread evenly
      Video two = film.sample(2); // two a second by the rule of Qwen's processors: even, at least 4
      Video all = film.frames();
      Tracked cars = qwen.track(film.sample(2), "Locate every car.").interpolated().run();
      all.withFrames(cars.draw(all)).save(Path.of("drawn.mp4"));

      assertThat(eight.frames()).hasSize(8);
      assertThat(two.frames()).hasSizeGreaterThanOrEqualTo(4);
      assertThat(Video.open(Path.of("drawn.mp4")).frames().frames()).hasSameSizeAs(all.frames());
    } finally {
      Files.deleteIfExists(Path.of("cars.mp4"));
      Files.deleteIfExists(Path.of("drawn.mp4"));
    }
  }
}
