package dev.lmm.video;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.Video;
import dev.lmm.VideoFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is written is read back: sizes, times, and pictures near those that went in. */
class VideoSaveTest {
  @TempDir Path folder;

  private static Image frame(int i, int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    for (int y = 0, o = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        boolean in = Math.hypot(x - 12 - 3 * i, y - height / 2.0) < 9;
        rgb[o++] = (byte) (in ? 220 : x * 200 / width);
        rgb[o++] = (byte) (in ? 40 : y * 200 / height);
        rgb[o++] = (byte) (in ? 30 : 120);
      }
    }
    return Image.ofRgb(width, height, rgb);
  }

  private static Video clip(int count, int width, int height, double fps) {
    List<Image> frames = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      frames.add(frame(i, width, height));
    }
    return Video.of(frames, fps);
  }

  @ParameterizedTest
  @CsvSource({"a.mp4, 65, 49", "b.webm, 65, 49", "c.mkv, 64, 48", "영상 d.MP4, 64, 48"})
  void whatIsWrittenIsReadBack(String name, int width, int height) {
    Video clip = clip(12, width, height, 8);
    Path file = folder.resolve(name);
    clip.save(file);
    VideoFile film = Video.open(file);
    // H.264's sides are even.
    assertThat(film.width()).isBetween(width, width + 1);
    assertThat(film.height()).isBetween(height, height + 1);
    Video read = film.frames();
    assertThat(read.frames()).hasSize(12);
    assertThat(read.fps()).isCloseTo(8, within(0.8));
    for (int i = 0; i < 12; i++) {
      assertThat(read.seconds().get(i)).as("frame %d", i).isCloseTo(i / 8.0, within(0.001));
      assertThat(difference(clip.frames().get(i), read.frames().get(i)))
          .as("mean difference of frame %d", i)
          .isLessThan(8);
    }
  }

  /** Sampled frames stay apart as far as they were. */
  @Test
  void timesAreTheClipsOwn() {
    Video some = clip(24, 64, 48, 12).frames(5);
    Path file = folder.resolve("some.mp4");
    some.save(file);
    List<Double> seconds = Video.open(file).frames().seconds();
    for (int i = 0; i < 5; i++) {
      assertThat(seconds.get(i)).isCloseTo(some.seconds().get(i), within(0.001));
    }
  }

  @Test
  void aFailureLeavesNoFileBehindAndTheOldOneAsItWas() throws IOException {
    Path file = Files.writeString(folder.resolve("old.mp4"), "old");
    Video huge = Video.of(List.of(Image.ofRgb(20_000, 2, new byte[20_000 * 2 * 3])), 1);
    assertThatThrownBy(() -> huge.save(file))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("16384");
    assertThat(file).hasContent("old");
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
    Video clip = clip(1, 64, 48, 1);
    assertThatThrownBy(() -> clip.save(folder.resolve("none/a.mp4")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("none");
    assertThatThrownBy(() -> clip.save(folder.resolve("a.wmv")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("[gif, mkv, mp4, webm]");
  }

  private static double difference(Image a, Image b) {
    double sum = 0;
    for (int y = 0; y < a.height(); y++) {
      for (int i = 0; i < a.width() * 3; i++) {
        sum +=
            Math.abs(
                (a.rgb()[y * a.width() * 3 + i] & 0xFF) - (b.rgb()[y * b.width() * 3 + i] & 0xFF));
      }
    }
    return sum / a.rgb().length;
  }
}
