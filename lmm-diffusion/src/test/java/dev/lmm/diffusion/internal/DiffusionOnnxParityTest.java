package dev.lmm.diffusion.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.GenerateRequest;
import dev.lmm.GeneratedImage;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.Models;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Stable Diffusion on ONNX Runtime: states, noise and pictures of diffusers. */
class DiffusionOnnxParityTest extends DiffusionParity {
  DiffusionOnnxParityTest() {
    super("onnx");
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sd21", "sdxl", "inpaint", "sdxl-inpaint"})
  void picturesEqualWithinOneLevel(String pipeline) {
    assertThat(wrongPictures(pipeline, 1)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sd21", "sdxl"})
  void severalPicturesAreThoseOfTheirSeeds(String pipeline) {
    try (Generator generator =
        Models.generator(Goldens.FOLDER.resolve(pipeline)).engine("onnx").load()) {
      GenerateRequest request =
          generator.generate("a red circle").steps(2).size(64, 64).scheduler("euler-a");
      List<GeneratedImage> three = request.seed(5).count(3).run();
      assertThat(three.stream().map(GeneratedImage::seed)).containsExactly(5L, 6L, 7L);
      for (GeneratedImage each : three) {
        Image alone = request.seed(each.seed()).run().get(0).image();
        assertThat(Arrays.equals(alone.rgb(), each.image().rgb())).isTrue();
      }
    }
  }
}
