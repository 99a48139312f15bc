package dev.lmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The frames that Qwen's own utilities choose. */
class FrameRuleTest {
  private static final Pattern CASE =
      Pattern.compile(
          "\"total\": (\\d+), \"rate\": ([\\d.]+), \"fps\": ([\\d.]+), \"min\": (\\d+), \"max\":"
              + " (\\d+), \"indices\": \\[([\\d, ]*)]");

  @Test
  void indicesEqualTheReference() throws IOException {
    Matcher golden =
        CASE.matcher(Files.readString(Path.of("src/test/resources/golden/frame-rule.json")));
    int cases = 0;
    for (; golden.find(); cases++) {
      FrameRule rule =
          FrameRule.qwenUtilities()
              .withFps(Double.parseDouble(golden.group(3)))
              .withFrames(Integer.parseInt(golden.group(4)), Integer.parseInt(golden.group(5)));
      int[] expected =
          Arrays.stream(golden.group(6).split(", ")).mapToInt(Integer::parseInt).toArray();
      assertThat(
              rule.indices(Integer.parseInt(golden.group(1)), Double.parseDouble(golden.group(2))))
          .as(golden.group(0))
          .isEqualTo(expected);
    }
    assertThat(cases).isEqualTo(11);
  }

  @Test
  void clipsAreSampledByIt() {
    List<Image> frames =
        IntStream.range(0, 24).mapToObj(i -> Image.ofRgb(2, 2, new byte[12])).toList();
    Video clip = Video.of(frames, 12).sample(FrameRule.qwenUtilities());
    assertThat(clip.indices()).containsExactly(0, 8, 15, 23);
    assertThat(clip.fps()).isEqualTo(2);
    Video one = Video.of(frames.subList(0, 1), 12);
    assertThatThrownBy(() -> one.sample(FrameRule.qwenUtilities()))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("there are 1; the rule needs at least 2");
    assertThatThrownBy(() -> FrameRule.qwenUtilities().withFps(-1))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("fps: is -1.0");
    assertThatThrownBy(() -> FrameRule.qwenUtilities().withFrames(4, 1))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("maxFrames: is 1");
  }
}
