package dev.lmm.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.GenerateRequest;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Stable Diffusion on this engine: the pictures of diffusers, within one level. */
class DiffusionOnPyTorchTest {
  private static final Path GOLDEN = Path.of("../lmm-diffusion/src/test/resources/golden");

  /** Adapters in the text encoder and in every kind of layer of the UNet, one and two at once. */
  @ParameterizedTest
  @CsvSource({"sd15,0", "sd15,4", "sdxl,8"})
  void adaptedPicturesEqualTheReference(String pipeline, int index) {
    Path folder = GOLDEN.resolve("lora");
    Json one = Json.parse(folder.resolve("golden.json")).at("cases").elements().get(index);
    assertThat(one.stringAt("pipeline")).isEqualTo(pipeline);
    try (CheckpointWeights golden =
            CheckpointWeights.ofSafetensors(
                pipeline, List.of(folder.resolve("golden.safetensors")));
        Generator generator = Models.generator(GOLDEN.resolve(pipeline)).engine("pytorch").load()) {
      GenerateRequest request = request(generator, one);
      for (Json lora : one.at("loras").elements()) {
        request = request.lora(folder.resolve(lora.stringAt("file")), lora.doubleAt("scale"));
      }
      equal(request, golden, "picture." + index);
    }
  }

  /** Text to image with guidance, another size, and (where a case has one) from a picture. */
  @ParameterizedTest
  @CsvSource({"sd15,4", "sd15,20", "sd15,24", "sd15,28", "sd21,1", "sdxl,3", "sdxl,20"})
  void picturesEqualTheReference(String pipeline, int index) {
    Path folder = GOLDEN.resolve(pipeline);
    Json one = Json.parse(folder.resolve("golden.json")).at("cases").elements().get(index);
    String name = "picture." + index;
    try (CheckpointWeights golden =
            CheckpointWeights.ofSafetensors(
                pipeline, List.of(folder.resolve("golden.safetensors")));
        Generator generator = Models.generator(folder).engine("pytorch").load()) {
      GenerateRequest request = request(generator, one);
      if (one.hasValue("image")) {
        request =
            request
                .from(Image.read(folder.resolve(one.stringAt("image"))))
                .strength(one.doubleAt("strength", 0.8));
      }
      if (one.hasValue("mask")) {
        request = request.mask(Image.read(folder.resolve(one.stringAt("mask"))));
      }
      equal(request, golden, name);
    }
  }

  private static GenerateRequest request(Generator generator, Json one) {
    return generator
        .generate(one.stringAt("prompt"))
        .steps((int) one.longAt("steps"))
        .guidance(one.doubleAt("guidance", 7.5))
        .seed(one.longAt("seed"))
        .size((int) one.longAt("width"), (int) one.longAt("height"))
        .scheduler(one.stringAt("scheduler"));
  }

  private static void equal(GenerateRequest request, CheckpointWeights golden, String name) {
    byte[] made = request.run().get(0).image().rgb();
    ByteBuffer expected = golden.map(name, 0, (int) golden.locate(name).length());
    assertThat(made).hasSize(expected.capacity());
    int worst = 0;
    for (int i = 0; i < made.length; i++) {
      worst = Math.max(worst, Math.abs((made[i] & 0xFF) - (expected.get(i) & 0xFF)));
    }
    assertThat(worst).as("levels").isLessThanOrEqualTo(1);
  }
}
