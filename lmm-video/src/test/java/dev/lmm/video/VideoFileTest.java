package dev.lmm.video;

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
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames out of files, as PyAV gives them; and files that are none. */
class VideoFileTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden");
  private static final Json FILES = Json.parse(GOLDEN.resolve("golden.json")).at("files");

  @TempDir Path folder;

  static Stream<String> files() {
    return FILES.keys().stream();
  }

  private static Path file(String name) {
    return GOLDEN.resolve(name);
  }

  private static String sha(Image image) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(image.rgb()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<String> expected(String name) {
    return FILES.at(name).at("sha256").elements().stream().map(Json::string).toList();
  }

  private static List<String> shas(Video video) {
    return video.frames().stream().map(VideoFileTest::sha).toList();
  }

  @ParameterizedTest
  @MethodSource("files")
  void everyFrameEqualsTheReference(String name) {
    Json golden = FILES.at(name);
    VideoFile film = Video.open(file(name));
    assertThat(film.width()).isEqualTo(golden.intAt("width"));
    assertThat(film.height()).isEqualTo(golden.intAt("height"));
    assertThat(film.fps()).isCloseTo(golden.doubleAt("rate"), within(1e-9));
    Video all = film.frames();
    assertThat(shas(all)).isEqualTo(expected(name));
    double[] seconds = golden.at("seconds").doubles();
    assertThat(film.frameCount()).isEqualTo(seconds.length);
    for (int i = 0; i < seconds.length; i++) {
      assertThat(all.seconds().get(i)).as("frame %d", i).isCloseTo(seconds[i], within(1e-6));
    }
    assertThat(all.fps()).isEqualTo(film.fps());
  }

  /** By seeking, each frame is what it is when all before it are decoded. */
  @ParameterizedTest
  @MethodSource("files")
  void aFrameTakenAloneIsTheSame(String name) {
    VideoFile film = Video.open(file(name));
    List<String> all = expected(name);
    for (int count : new int[] {1, 2, 3, 5, 8}) {
      if (count <= film.frameCount()) {
        Video some = film.frames(count);
        List<String> wanted = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          wanted.add(all.get(i * all.size() / count));
          assertThat(some.indices().get(i)).isEqualTo(i * all.size() / count);
        }
        assertThat(shas(some)).as("%d frames", count).isEqualTo(wanted);
        assertThat(some.fps()).isCloseTo(film.fps() * count / all.size(), within(1e-9));
      }
    }
  }

  @Test
  void samplingFollowsTheProcessorsRule() {
    VideoFile film = Video.open(file("b-frames.mp4")); // 24 frames, 12 a second
    assertThat(film.sample(2).indices()).containsExactly(0, 6, 12, 18);
    assertThat(film.sample(4).indices()).containsExactly(0, 3, 6, 9, 12, 15, 18, 21);
    assertThat(film.sample(100).indices()).hasSize(24);
    assertThat(film.sample(2).fps()).isCloseTo(2, within(1e-9));
    for (double rate : new double[] {0, -1, Double.NaN}) {
      assertThatThrownBy(() -> film.sample(rate))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("fps: is ");
    }
    for (int count : new int[] {0, -1, 25}) {
      assertThatThrownBy(() -> film.frames(count))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("expected 1 to 24");
    }
  }

  /** The index comes first in this file, so that what is there before the cut can be read. */
  @Test
  void ofATruncatedFileTheFramesThatAreThereAreRead() throws IOException {
    byte[] whole = Files.readAllBytes(file("b-frames.mp4"));
    Path cut = folder.resolve("잘린 film.mp4");
    Files.write(cut, Arrays.copyOf(whole, whole.length * 2 / 3));
    VideoFile film = Video.open(cut);
    Video there = film.frames();
    assertThat(there.frames()).hasSizeBetween(8, 22);
    // All but what the cut packet and those told from it held.
    assertThat(shas(there).subList(0, 7)).isEqualTo(expected("b-frames.mp4").subList(0, 7));
    assertThatThrownBy(() -> Video.open(write("head.mp4", Arrays.copyOf(whole, 400))))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("head.mp4");
  }

  @Test
  void brokenFramesAreLeftOutOrShownAsFarAsTheyCanBe() throws IOException {
    byte[] bytes = Files.readAllBytes(file("odd-vp9.webm"));
    int from = bytes.length / 2;
    Arrays.fill(bytes, from, from + 150, (byte) 0x5A);
    VideoFile film = Video.open(write("broken.webm", bytes));
    Video read = film.frames();
    assertThat(read.frames()).isNotEmpty().hasSizeLessThanOrEqualTo(24);
    assertThat(sha(read.frames().get(0))).isEqualTo(expected("odd-vp9.webm").get(0));
  }

  @Test
  void whatHoldsNoVideoSaysSo() throws IOException {
    assertThatThrownBy(() -> Video.open(file("sound.m4a")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("has no video stream");
    assertThatThrownBy(
            () -> Video.open(write("text.mp4", "no video".getBytes(StandardCharsets.UTF_8))))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("text.mp4: is no video that can be read");
    assertThatThrownBy(() -> Video.open(write("empty.mp4", new byte[0])))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("is empty");
    assertThatThrownBy(() -> Video.open(folder.resolve("none.mp4")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("no such file");
    assertThatThrownBy(() -> Video.open(folder))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("is a folder");
  }

  /** A playlist, a list of files and the like would have the library open what a stranger names. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\nSECRET\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile 'SECRET'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
        "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"><Period>"
            + "<BaseURL>SECRET</BaseURL></Period></MPD>",
        "\u0000\u0000"
      })
  void filesThatNameOthersAreRefused(String content) throws IOException {
    Path secret = file("b-frames.mp4").toAbsolutePath();
    Path list =
        write(
            "list.mp4",
            content.replace("SECRET", secret.toString()).getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> Video.open(list))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("list.mp4: is no video");
  }

  @Test
  void namesThatLookLikeProtocolsAreFiles() throws IOException {
    Path odd = folder.resolve("concat:a|b %03d.mp4");
    Files.copy(file("bt709.mp4"), odd);
    assertThat(Video.open(odd).frames(1).frames()).hasSize(1);
  }

  @Test
  void limitsHold() {
    Path film = file("b-frames.mp4");
    VideoLimits standard = VideoLimits.standard();
    Cancellation never = new Cancellation();
    assertThatThrownBy(() -> Video.open(film, standard.withMaxPixels(64 * 48 - 1), never))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("64x48 pixels; the limit is 3071");
    assertThatThrownBy(() -> Video.open(film, standard.withMaxFrames(23), never))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("more than 23 frames");
    assertThatThrownBy(() -> Video.open(film, standard.withMaxSeconds(1.5), never))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("takes 1.9 seconds; the limit is 1.5");
    VideoFile small = Video.open(film, standard.withMaxBytes(5 * 64 * 48 * 3), never);
    assertThat(small.frames(5).frames()).hasSize(5);
    assertThatThrownBy(() -> small.frames(6))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("Take fewer frames");
  }

  @Test
  void readingCanBeStopped() {
    Cancellation stopped = new Cancellation();
    stopped.cancel();
    Path film = file("b-frames.mp4");
    assertThatThrownBy(() -> Video.open(film, VideoLimits.standard(), stopped))
        .isInstanceOf(CancelledException.class);
    VideoFile open = Video.open(film);
    assertThatThrownBy(() -> open.cancelledBy(stopped).frames())
        .isInstanceOf(CancelledException.class);
    assertThat(open.frames(1).frames()).hasSize(1);
    Thread.currentThread().interrupt();
    assertThatThrownBy(open::frames).isInstanceOf(CancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(open.frames(2).frames()).hasSize(2);
  }

  /** A file from a stranger may be anything: an answer or an error of ours, never a crash. */
  @Test
  void damageNeverLeavesTheLibrary() throws IOException {
    java.util.Random random = new java.util.Random(7);
    for (String name : List.of("b-frames.mp4", "odd-vp9.webm", "b-frames.avi", "hidden-vp8.webm")) {
      byte[] whole = Files.readAllBytes(file(name));
      for (int round = 0; round < 40; round++) {
        byte[] bytes =
            round % 4 == 3 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
        for (int i = random.nextInt(30); i >= 0 && bytes.length > 0; i--) {
          int at = random.nextInt(round % 2 == 0 ? Math.min(bytes.length, 2000) : bytes.length);
          bytes[at] = (byte) random.nextInt(256);
        }
        try {
          Video.open(
                  write("fuzz", bytes),
                  VideoLimits.standard().withMaxPixels(1 << 20),
                  new Cancellation())
              .frames(1);
        } catch (ImageException | InvalidRequestException e) {
          assertThat(e).hasMessageContaining("fuzz");
        }
      }
    }
  }

  private Path write(String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }
}
