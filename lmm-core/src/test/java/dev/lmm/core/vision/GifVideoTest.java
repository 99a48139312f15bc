package dev.lmm.core.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.InvalidRequestException;
import dev.lmm.Video;
import dev.lmm.VideoFile;
import dev.lmm.VideoLimits;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Animated GIFs, read as Pillow reads them, and written. */
class GifVideoTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden/gifs");

  @TempDir Path folder;

  private static List<String> shas(Video video) throws Exception {
    List<String> all = new ArrayList<>();
    for (Image image : video.frames()) {
      all.add(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(image.rgb())));
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain.gif", "disposal-1.gif", "disposal-2.gif", "disposal-3.gif"})
  void framesEqualPillows(String name) throws Exception {
    Json golden = Json.parse(GOLDEN.resolve("golden.json")).at(name);
    VideoFile film = Video.open(GOLDEN.resolve(name));
    double[] delays = golden.at("delays").doubles();
    List<String> expected = golden.at("sha256").elements().stream().map(Json::string).toList();
    assertThat(film.width()).isEqualTo(golden.intAt("width"));
    assertThat(film.height()).isEqualTo(golden.intAt("height"));
    Video all = film.frames();
    assertThat(shas(all)).isEqualTo(expected);
    double at = 0;
    for (int i = 0; i < delays.length; i++) {
      assertThat(all.seconds().get(i)).isCloseTo(at / 1000, within(1e-9));
      at += delays[i];
    }
    assertThat(film.fps()).isCloseTo(1000 * delays.length / at, within(1e-9));
    Video some = film.frames(2);
    assertThat(some.indices()).containsExactly(0, delays.length / 2);
    assertThat(shas(some)).containsExactly(expected.get(0), expected.get(delays.length / 2));
  }

  @Test
  void ofATruncatedFileTheFramesThatAreThereAreRead() throws Exception {
    byte[] whole = Files.readAllBytes(GOLDEN.resolve("disposal-2.gif"));
    Path cut = folder.resolve("cut.gif");
    Files.write(cut, Arrays.copyOf(whole, whole.length / 2));
    Video there = Video.open(cut).frames();
    List<String> all = shas(Video.open(GOLDEN.resolve("disposal-2.gif")).frames());
    assertThat(there.frames()).hasSizeBetween(1, all.size() - 1);
    assertThat(shas(there)).isEqualTo(all.subList(0, there.frames().size()));
    Files.write(cut, Arrays.copyOf(whole, 30));
    assertThatThrownBy(() -> Video.open(cut)).isInstanceOf(ImageException.class);
  }

  @Test
  void limitsAndCancellationHold() {
    Path file = GOLDEN.resolve("plain.gif");
    VideoLimits limits = VideoLimits.standard();
    Cancellation cancellation = new Cancellation();
    assertThatThrownBy(() -> Video.open(file, limits.withMaxFrames(5), cancellation))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("more than 5 frames");
    assertThatThrownBy(() -> Video.open(file, limits.withMaxPixels(1199), cancellation))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("the limit is 1199");
    assertThatThrownBy(() -> Video.open(file, limits.withMaxSeconds(0.5), cancellation))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("seconds");
    assertThatThrownBy(() -> Video.open(file, limits.withMaxBytes(3600), cancellation).frames(2))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("Take fewer frames");
    VideoFile open = Video.open(file);
    cancellation.cancel();
    assertThatThrownBy(() -> open.cancelledBy(cancellation).frames())
        .isInstanceOf(CancelledException.class);
    assertThat(open.frames(1).frames()).hasSize(1);
  }

  @Test
  void whatIsWrittenIsReadBackAtItsOwnTimes() {
    Video film = Video.open(GOLDEN.resolve("plain.gif")).frames();
    Path file = folder.resolve("그림.gif");
    film.save(file);
    Video read = Video.open(file).frames();
    assertThat(read.seconds()).isEqualTo(film.seconds());
    assertThat(read.frames()).hasSize(6);
    Path frames = folder.resolve("frames");
    film.frames(2).saveFrames(frames);
    assertThat(frames)
        .isDirectoryContaining("glob:**000000.png")
        .isDirectoryContaining("glob:**000003.png");
    assertThat(Image.read(frames.resolve("000003.png")).rgb())
        .isEqualTo(film.frames().get(3).rgb());
  }

  /** An answer or an error of ours, whatever the bytes. */
  @Test
  void damageNeverLeavesTheLibrary() throws IOException {
    Random random = new Random(11);
    VideoLimits limits = VideoLimits.standard().withMaxPixels(1 << 18);
    int read = 0;
    for (String name : List.of("plain.gif", "disposal-2.gif", "disposal-3.gif")) {
      byte[] whole = Files.readAllBytes(GOLDEN.resolve(name));
      for (int round = 0; round < 40; round++) {
        byte[] bytes =
            Arrays.copyOf(whole, whole.length - (round % 3 == 0 ? random.nextInt(2000) : 0));
        for (int i = random.nextInt(12); i >= 0; i--) {
          bytes[6 + random.nextInt((round % 2 == 0 ? 900 : bytes.length) - 6)] =
              (byte) random.nextInt();
        }
        Path file = Files.write(folder.resolve("fuzz.gif"), bytes);
        try {
          Video video = Video.open(file, limits, new Cancellation()).frames();
          assertThat(video.frames()).isNotEmpty();
          read++;
        } catch (ImageException | InvalidRequestException e) {
          assertThat(e).hasMessageContaining("fuzz.gif");
        }
      }
    }
    assertThat(read).as("files of which frames were read").isGreaterThan(30);
  }

  /** Nothing that reads video files is on this class path: what to add is said. */
  @Test
  void whatIsMissingForOtherFilesIsNamed() throws IOException {
    Path film = folder.resolve("film.mp4");
    Files.write(film, "\0\0\0\u0018ftypisom".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> Video.open(film))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("film.mp4")
        .hasMessageContaining("dev.lmm:lmm-video");
    Video clip = Video.of(List.of(Image.ofRgb(2, 2, new byte[12])), 1);
    assertThatThrownBy(() -> clip.save(folder.resolve("a.mp4")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("dev.lmm:lmm-video");
    assertThat(folder.resolve("a.mp4")).doesNotExist();
  }
}
