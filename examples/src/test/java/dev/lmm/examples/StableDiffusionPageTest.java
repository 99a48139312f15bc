package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.GeneratedImage;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.Models;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What docs/stable-diffusion.md shows. */
class StableDiffusionPageTest {
  private final List<Image> shown = new ArrayList<>();

  @BeforeAll
  static void prepare() {
    TinyHub.prepare();
  }

  private void show(Image preview) {
    shown.add(preview);
  }

  @Test
  void drawsALighthouse() throws IOException {
    try (LeftFiles files = new LeftFiles()) {
      Path drawn = files.written("lighthouse.png");
      try (Generator sd = Models.generator("stable-diffusion-v1-5/stable-diffusion-v1-5").load()) {
        GeneratedImage lighthouse =
            sd.generate("a lighthouse at dusk")
                .negative("blurry")
                .steps(25)
                .guidance(7.5)
                .seed(42)
                .scheduler("dpmpp-2m-karras")
                .onStep(step -> show(step.preview()))
                .run()
                .get(0);
        lighthouse.save(Path.of("lighthouse.png"));
      }
      assertThat(shown).hasSize(25);
      LeftFiles.isPicture(drawn);
    }
  }

  @Test
  void drawsTheSameAgain() throws IOException {
    try (LeftFiles files = new LeftFiles();
        Generator sd = Models.generator("tiny-sd").load()) {
      Path drawn = files.written("lighthouse.png");
      sd.generate("a red circle").steps(3).seed(5).run().get(0).save(drawn);
      sd.again(Path.of("lighthouse.png")).run();
      assertThat(sd.again(drawn).run().get(0).image().rgb()).isEqualTo(Image.read(drawn).rgb());
    }
  }

  @Test
  void putsAnAdapterBesideTheWeights() throws IOException {
    try (LeftFiles files = new LeftFiles();
        Generator sd = Models.generator("tiny-sd").load()) {
      Path adapter = files.written("watercolour.safetensors");
      Files.write(adapter, adapter());
      sd.generate("a lighthouse at dusk").lora(Path.of("watercolour.safetensors"), 0.8).run();
      assertThat(sd.generate("a lighthouse").steps(2).lora(adapter, 0.8).run().get(0).image().rgb())
          .isNotEqualTo(sd.generate("a lighthouse").steps(2).run().get(0).image().rgb());
    }
  }

  /** An adapter of rank 1 for one layer of the UNet, in diffusers' names. */
  private static byte[] adapter() throws IOException {
    Path unet =
        TinyHub.folder("stable-diffusion-v1-5/stable-diffusion-v1-5")
            .resolve("unet/diffusion_pytorch_model.safetensors");
    byte[] bytes = Files.readAllBytes(unet);
    int length = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    Matcher layer =
        Pattern.compile("\"([^\"]*attn1\\.to_q)\\.weight\":\\{[^}]*\"shape\":\\[(\\d+), ?(\\d+)\\]")
            .matcher(new String(bytes, 8, length, StandardCharsets.UTF_8));
    assertThat(layer.find()).isTrue();
    int out = Integer.parseInt(layer.group(2));
    int in = Integer.parseInt(layer.group(3));
    String name = "unet." + layer.group(1);
    String header =
        "{\"%s.lora_A.weight\":{\"dtype\":\"F32\",\"shape\":[1,%d],\"data_offsets\":[0,%d]},"
                .formatted(name, in, 4 * in)
            + "\"%s.lora_B.weight\":{\"dtype\":\"F32\",\"shape\":[%d,1],\"data_offsets\":[%d,%d]}}"
                .formatted(name, out, 4 * in, 4 * in + 4 * out);
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(8 + text.length + 4 * (in + out)).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(text.length).put(text);
    for (int i = 0; i < in + out; i++) {
      file.putFloat(i % 2 == 0 ? 0.5f : -0.25f);
    }
    return file.array();
  }
}
