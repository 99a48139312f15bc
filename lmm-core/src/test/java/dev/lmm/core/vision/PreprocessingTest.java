package dev.lmm.core.vision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Image;
import dev.lmm.core.json.Json;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PreprocessingTest {
  private static final double[] ZEROS = {0, 0, 0};
  private static final double[] ONES = {1, 1, 1};

  private static Preprocessing shortestEdge(int edge, int crop) {
    return new Preprocessing(
        true, 0, 0, edge, ResizeFilter.BICUBIC, crop > 0, crop, crop, 1.0 / 255, ZEROS, ONES);
  }

  @Test
  void cropsAndPadsAsTheReference() {
    Map<String, byte[]> tensors = PictureGoldens.tensors("crop.safetensors");
    List<Json> cases = PictureGoldens.json("crop.json").at("cases").elements();
    assertThat(cases).isNotEmpty();
    for (int i = 0; i < cases.size(); i++) {
      Json golden = cases.get(i);
      Image source =
          Image.ofRgb(golden.intAt("width"), golden.intAt("height"), tensors.get("source." + i));
      Preprocessing crop =
          new Preprocessing(
              false,
              0,
              0,
              0,
              ResizeFilter.BICUBIC,
              true,
              golden.intAt("cropWidth"),
              golden.intAt("cropHeight"),
              1,
              ZEROS,
              ONES);
      assertThat(crop.pixels(source).rgb())
          .as("case %d: %s", i, golden)
          .isEqualTo(tensors.get("result." + i));
    }
  }

  @Test
  void sizesAreThoseOfTheReference() {
    Json sizes = PictureGoldens.json("sizes.json");
    for (Json row : sizes.at("shortestEdge").at("rows").elements()) {
      int[] r = row.ints();
      assertThat(shortestEdge(r[2], 0).resizedSize(r[0], r[1]))
          .as(row.toString())
          .containsExactly(r[3], r[4]);
    }
    for (Json row : sizes.at("naflex").at("rows").elements()) {
      int[] r = row.ints();
      assertThat(NaflexPatches.size(r[0], r[1], r[2], r[3]))
          .as(row.toString())
          .containsExactly(r[4], r[5]);
    }
  }

  @Test
  void aVeryLongPictureCostsOnlyItsCrop() {
    byte[] line = new byte[60_000 * 3];
    new Random(2).nextBytes(line);
    assertThat(shortestEdge(224, 224).pixels(Image.ofRgb(60_000, 1, line)).rgb())
        .hasSize(224 * 224 * 3);
    // Padded above and below, cut left and right.
    assertThat(shortestEdge(224, 256).pixels(Image.ofRgb(60_000, 1, line)).rgb())
        .hasSize(256 * 256 * 3);
  }

  @Test
  void levelsAreRoundedAsNumpyRounds() {
    Preprocessing clip =
        new Preprocessing(
            true,
            0,
            0,
            224,
            ResizeFilter.BICUBIC,
            true,
            224,
            224,
            0.00392156862745098,
            new double[] {0.48145466, 0.4578275, 0.40821073},
            new double[] {0.26862954, 0.26130258, 0.27577711});
    float[][] levels = clip.levels();
    // numpy: (float32(float64(v) * scale) - float32(mean)) / float32(std)
    assertThat(levels[0][0]).isEqualTo(-1.7922626f);
    assertThat(levels[1][255]).isEqualTo(2.0748837f);
    assertThat(levels[2][128]).isEqualTo(0.33994877f);
  }

  @Test
  void planesAreRedGreenBlue() {
    Image image = Image.ofRgb(2, 1, new byte[] {1, 2, 3, 4, 5, 6});
    float[][] levels = new float[3][256];
    for (int c = 0; c < 3; c++) {
      for (int v = 0; v < 256; v++) {
        levels[c][v] = 1000 * c + v;
      }
    }
    FloatBuffer target = FloatBuffer.allocate(8);
    target.position(1);
    Preprocessing.planes(image, levels, target);
    assertThat(target.array()).containsExactly(0, 1, 4, 1002, 1005, 2003, 2006, 0);
    FloatBuffer patches = FloatBuffer.allocate(6);
    NaflexPatches.write(image, 1, levels, patches);
    assertThat(patches.array()).containsExactly(1, 1002, 2003, 4, 1005, 2006);
  }
}
