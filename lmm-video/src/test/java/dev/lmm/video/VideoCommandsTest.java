package dev.lmm.video;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Video;
import dev.lmm.VideoFile;
import dev.lmm.core.json.Json;
import dev.lmm.tiny.TinyPictures;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line with this module on its class path. */
class VideoCommandsTest {
  private static final String MODEL = "tiny-qwen2.5-vl";

  @TempDir Path folder;

  private record Ran(int status, String out, String err) {}

  /** As the command line's main method does, which would end the process. */
  private static Ran run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try {
      Method run =
          Class.forName("dev.lmm.cli.Main")
              .getDeclaredMethod("run", PrintStream.class, PrintStream.class, String[].class);
      run.setAccessible(true);
      Object status =
          run.invoke(
              null,
              new PrintStream(out, true, StandardCharsets.UTF_8),
              new PrintStream(err, true, StandardCharsets.UTF_8),
              arguments);
      return new Ran(
          (int) status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Json json(String... arguments) {
    Ran ran = run(arguments);
    assertThat(ran.status()).as(ran.err()).isZero();
    return Json.parse(ran.out().getBytes(StandardCharsets.UTF_8), "output");
  }

  /** The trained model follows the red circle, whose true places are those in the clip's frames. */
  @Test
  void trackReadsAndWritesVideoFiles() {
    Path film = folder.resolve("영상 clip.webm");
    Video clip = TinyPictures.clip();
    clip.save(film);
    Path drawn = folder.resolve("drawn.mp4");
    String frames = Integer.toString(clip.frames().size());
    Json tracked =
        json(
            "track",
            MODEL,
            "--video",
            film.toString(),
            "--frames",
            frames,
            "--text",
            "Locate the red circle.",
            "--out",
            drawn.toString(),
            "--json");
    assertThat(tracked.at("frames").elements()).hasSize(clip.frames().size());
    Json track = tracked.at("tracks").elements().get(0);
    assertThat(track.stringAt("label")).isEqualTo("red circle");
    assertThat(track.at("boxes").elements().size())
        .isGreaterThanOrEqualTo(clip.frames().size() * 3 / 4);
    VideoFile written = Video.open(drawn);
    assertThat(written.frameCount()).isEqualTo(clip.frames().size());
    assertThat(written.secondsAt(1)).isCloseTo(clip.seconds().get(1), within(0.002));
  }

  @Test
  void chatReadsVideoFiles() {
    String film = "src/test/resources/golden/b-frames.mp4";
    int one = promptTokens(film, "--frames", "1");
    int two = promptTokens(film, "--frames", "2");
    int four = promptTokens(film, "--fps", "2"); // of two seconds
    int eight = promptTokens(film, "--fps", "4");
    assertThat(one).isEqualTo(two);
    assertThat(four - two).isPositive();
    assertThat(eight - four).isEqualTo(2 * (four - two));
  }

  private static int promptTokens(String film, String... sampling) {
    String[] all = new String[8 + sampling.length];
    List<String> line =
        List.of("chat", MODEL, "--video", film, "--text", "What?", "--max-tokens=1", "--json");
    System.arraycopy(line.toArray(new String[0]), 0, all, 0, 8);
    System.arraycopy(sampling, 0, all, 8, sampling.length);
    return json(all).intAt("promptTokens");
  }

  @Test
  void whatIsNoVideoIsOneLine() throws IOException {
    Path text = Files.writeString(folder.resolve("text.mp4"), "no video");
    Ran ran = run("chat", MODEL, "--video", text.toString(), "--text", "a");
    assertThat(ran.status()).isEqualTo(1);
    assertThat(ran.err().strip().lines()).hasSize(1);
    assertThat(ran.err()).contains("text.mp4: is no video that can be read");
    Ran sound =
        run("track", MODEL, "--video", "src/test/resources/golden/sound.m4a", "--text", "a");
    assertThat(sound.status()).isEqualTo(1);
    assertThat(sound.err()).contains("has no video stream");
    Ran many =
        run(
            "track",
            MODEL,
            "--video",
            "src/test/resources/golden/b-frames.mp4",
            "--text",
            "a",
            "--frames",
            "25");
    assertThat(many.status()).isEqualTo(1);
    assertThat(many.err()).contains("expected 1 to 24");
  }
}
