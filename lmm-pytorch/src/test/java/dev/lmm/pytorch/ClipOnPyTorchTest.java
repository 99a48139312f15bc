package dev.lmm.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.clip.Clip;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every published layout of the CLIP family on this engine: the numbers of transformers. */
class ClipOnPyTorchTest {
  private static final Path GOLDEN = Path.of("../lmm-clip/src/test/resources/golden");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "clip-openai",
        "clip-openai-bin",
        "clip-laion",
        "clip-fp16",
        "siglip-v1",
        "siglip2",
        "siglip2-bf16",
        "siglip2-naflex"
      })
  void embeddingsEqualTheReference(String checkpoint) {
    Path folder = GOLDEN.resolve(checkpoint);
    Json json = Json.parse(folder.resolve("golden.json"));
    List<Image> images = new ArrayList<>();
    json.at("pictures")
        .elements()
        .forEach(p -> images.add(Image.read(GOLDEN.resolve("pictures").resolve(p.string()))));
    List<String> texts = json.at("texts").elements().stream().map(Json::string).toList();
    Path own = folder.resolve("golden.safetensors");
    // The .bin layout holds the same model as the safetensors one.
    Path file =
        Files.exists(own)
            ? own
            : GOLDEN.resolve(json.stringAt("checkpoint")).resolve("golden.safetensors");
    try (CheckpointWeights golden = CheckpointWeights.ofSafetensors(checkpoint, List.of(file));
        Encoder encoder = Clip.from(folder).engine("pytorch").load()) {
      assertClose(encoder.images(images).raw().run(), golden, "image_raw");
      assertClose(encoder.texts(texts).raw().run(), golden, "text_raw");
    }
  }

  private static void assertClose(Embeddings found, CheckpointWeights golden, String name) {
    ByteBuffer bytes = golden.map(name, 0, (int) golden.locate(name).length());
    int at = 0;
    for (int i = 0; i < found.count(); i++) {
      for (float f : found.vector(i)) {
        float expected = bytes.getFloat(4 * at);
        assertThat(Math.abs((double) f - expected) <= 1e-4)
            .as("%s [%d]: found %s, expected %s", name, at, f, expected)
            .isTrue();
        at++;
      }
    }
    assertThat(4 * at).isEqualTo(bytes.remaining());
  }
}
