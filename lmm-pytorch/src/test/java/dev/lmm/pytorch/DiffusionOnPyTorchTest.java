package dev.lmm.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.EngineException;
import dev.lmm.GenerateRequest;
import dev.lmm.Generator;
import dev.lmm.Models;
import dev.lmm.Precision;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import dev.lmm.diffusion.internal.BrokenPart;
import dev.lmm.diffusion.internal.DiffusionParity;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Stable Diffusion on this engine: states, noise and pictures of diffusers. */
class DiffusionOnPyTorchTest extends DiffusionParity {
  private static final Path GOLDEN = Path.of("../lmm-diffusion/src/test/resources/golden");

  /** Compiling for PyTorch takes long: all of them with {@code -Dlmm.every=1}. */
  private static final int EVERY = Integer.getInteger("lmm.every", 12);

  @TempDir Path folder;

  DiffusionOnPyTorchTest() {
    super("pytorch");
  }

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

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sd21", "sdxl", "inpaint", "sdxl-inpaint"})
  void picturesEqualTheReference(String pipeline) {
    assertThat(wrongPictures(pipeline, EVERY)).isEmpty();
  }

  /**
   * The largest number of bfloat16 is less than that of single precision: a bias between the two is
   * infinite there, and what comes after it NaN.
   */
  @Test
  void anAutoencoderThatOverflowsIsComputedAnew() throws IOException {
    BrokenPart.copy(
        folder,
        "vae",
        (name, numbers) -> {
          if (name.equals("post_quant_conv.bias")) {
            numbers[0] = 3.398e38f;
          } else if (name.equals("decoder.conv_in.weight")) {
            for (int i = 0; i < numbers.length; i++) {
              numbers[i] *= i / 9 % 4 == 0 ? 1e-37f : 1;
            }
          }
        });
    byte[] exact;
    try (Generator generator = Models.generator(folder).engine("pytorch").load()) {
      exact = shapes(generator).run().get(0).image().rgb();
      BitSet levels = new BitSet();
      for (byte level : exact) {
        levels.set(level & 0xFF);
      }
      assertThat(levels.cardinality()).isGreaterThan(50);
    }
    try (Generator generator =
        Models.generator(folder).engine("pytorch").precision("vae", Precision.BF16).load()) {
      GenerateRequest request = shapes(generator);
      assertThatThrownBy(() -> request.vaeRescue(false).run())
          .isInstanceOf(EngineException.class)
          .hasMessageContainingAll(
              "The autoencoder's decoder, computed in bf16, made numbers that are not finite",
              "the first in /post_quant_conv (CONV): 0 NaN and 64 infinite of 256 elements",
              "precision(\"vae\", Precision.FP32)");
      String log =
          BrokenPart.logged(() -> assertThat(request.run().get(0).image().rgb()).isEqualTo(exact));
      assertThat(log)
          .containsOnlyOnce("the first in /post_quant_conv (CONV): 0 NaN and 64 infinite of 256")
          .containsOnlyOnce("It is computed anew in single precision");
      // From then on.
      String later =
          BrokenPart.logged(
              () ->
                  assertThat(request.vaeRescue(false).run().get(0).image().rgb()).isEqualTo(exact));
      assertThat(later).doesNotContain("anew");
    }
  }

  private static GenerateRequest shapes(Generator generator) {
    return generator.generate("a red circle").steps(2).scheduler("ddim").size(64, 64);
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
