package dev.lmm.qwenvl.internal;

import static dev.lmm.qwenvl.internal.QwenGolden.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.FrameRule;
import dev.lmm.Inspection;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the processor makes of pictures. */
class PictureInputTest {
  private static final PictureInput.Limits PUBLISHED = new PictureInput.Limits(3136, 12_845_056);

  @Test
  void numbersEqualTheReference() {
    try (QwenGolden golden = new QwenGolden("qwen4", "reference")) {
      float[] table = golden.floats("table");
      for (String name : List.of("wide", "small", "strip", "clip", "one")) {
        Seen seen = golden.seen(name);
        ByteBuffer levels = golden.bytes("levels." + name);
        float[] expected = new float[levels.remaining()];
        for (int i = 0; i < expected.length; i++) {
          int channel = i % 1176 / 392;
          expected[i] = table[channel * 256 + (levels.get(i) & 0xFF)];
        }
        float[] found =
            golden
                .model
                .pictures()
                .patches(seen.frames(), seen.grid(), 0, seen.grid().times())
                .toFloats();
        assertClose(name, found, expected, 1e-6);
        if (!seen.video()) {
          Inspection.Pixels pixels = golden.loaded.inspect().preprocess(seen.frames().get(0));
          assertThat(pixels.shape()).containsExactly(seen.grid().patches(), 1176);
          assertThat(pixels.values()).isEqualTo(found);
        }
      }
    }
  }

  /** Of the reference's own function. */
  @ParameterizedTest
  @CsvSource({
    "640,480,644,476",
    "70,98,56,112",
    "98,70,112,56",
    "700,10,476,28",
    "10,700,28,476",
    "1,1,56,56",
    "28,28,56,56",
    "200,1,812,28",
    "4000,3000,4004,2996",
    "5000,4000,4004,3192",
    "14,2800,28,812"
  })
  void sizesEqualTheReference(int width, int height, int newWidth, int newHeight) {
    assertThat(PictureInput.smartResize(width, height, 28, PUBLISHED))
        .containsExactly(newWidth, newHeight);
  }

  @Test
  void stripsOfMoreThan200To1AreRefused() {
    assertThatThrownBy(() -> PictureInput.smartResize(201, 1, 28, PUBLISHED))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("201x1")
        .hasMessageContaining("200");
  }

  /** Frames share a video's pixels as Qwen's own utilities let them. */
  @Test
  void framesOfAVideoShareItsPixels() {
    Json golden = Json.parse(Path.of("src/test/resources/golden/video-sizes.json"));
    List<Json> cases = golden.at("cases").elements();
    assertThat(cases).hasSize(9);
    for (Json one : cases) {
      int[] n = one.ints();
      long total = n[3] == 0 ? FrameRule.QWEN_VIDEO_PIXELS : n[3];
      assertThat(
              PictureInput.smartResize(
                  n[0], n[1], 28, PictureInput.Limits.shared(total, n[2], n[4], n[5])))
          .as(Arrays.toString(n))
          .containsExactly(n[6], n[7]);
    }
  }
}
