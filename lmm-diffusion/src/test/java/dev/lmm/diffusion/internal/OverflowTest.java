package dev.lmm.diffusion.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.EngineException;
import dev.lmm.GenerateRequest;
import dev.lmm.Generator;
import dev.lmm.Models;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Numbers that are none, in single precision, where no other precision helps. */
class OverflowTest {
  @TempDir Path folder;

  private void fails(String part, String weight, float value, String... messages)
      throws IOException {
    BrokenPart.copy(
        folder,
        part,
        (name, numbers) -> {
          if (name.equals(weight)) {
            numbers[1] = value;
          }
        });
    try (Generator generator = Models.generator(folder).engine("onnx").load()) {
      GenerateRequest request = generator.generate("a red circle").steps(2).scheduler("ddim");
      assertThatThrownBy(request::run)
          .isInstanceOf(EngineException.class)
          .hasMessageContainingAll(messages)
          .hasMessageNotContaining("single precision");
    }
  }

  @Test
  void theUnetsLayerIsNamed() throws IOException {
    fails(
        "unet",
        "mid_block.resnets.0.conv1.bias",
        Float.NaN,
        folder + ": The UNet at timestep 501.0, computed in fp32, made numbers that are not finite",
        "the first in /mid_block.resnets.0.conv1 (CONV): ");
  }

  @Test
  void theDecodersLayerIsNamed() throws IOException {
    fails(
        "vae",
        "decoder.up_blocks.1.resnets.0.norm2.weight",
        Float.POSITIVE_INFINITY,
        "The autoencoder's decoder, computed in fp32, made numbers that are not finite",
        "the first in /decoder.up_blocks.1.resnets.0.norm2 (GROUP_NORM): ");
  }

  @Test
  void aBlackPictureIsToldAndStays() throws IOException {
    BrokenPart.copy(
        folder,
        "vae",
        (name, numbers) -> {
          if (name.startsWith("decoder.conv_out.")) {
            Arrays.fill(numbers, name.endsWith("bias") ? -1.01f : 0);
          }
        });
    try (Generator generator = Models.generator(folder).engine("onnx").load()) {
      GenerateRequest request = generator.generate("a").steps(1);
      String log =
          BrokenPart.logged(
              () -> {
                for (byte level : request.run().get(0).image().rgb()) {
                  assertThat(level).isZero();
                }
              });
      assertThat(log).containsOnlyOnce("black everywhere").doesNotContain("single precision");
    }
    // What is not black is not told of.
    try (Generator generator =
        Models.generator(Goldens.FOLDER.resolve("sd15")).engine("onnx").load()) {
      GenerateRequest request = generator.generate("a").steps(1);
      assertThat(List.of(BrokenPart.logged(request::run))).noneMatch(l -> l.contains("black"));
    }
  }
}
