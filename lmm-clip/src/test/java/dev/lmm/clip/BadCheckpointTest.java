package dev.lmm.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.Encoder;
import dev.lmm.EngineException;
import dev.lmm.Image;
import dev.lmm.LmmException;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.checkpoint.Safetensors;
import dev.lmm.core.engine.StoredTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints that are broken: what the caller is told, and that nothing worse happens. */
class BadCheckpointTest {
  private static final Path GOOD = Path.of("src/test/resources/golden/clip-openai");

  @TempDir Path folder;

  @BeforeEach
  void copy() throws IOException {
    try (Stream<Path> files = Files.list(GOOD)) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
  }

  private void edit(String file, UnaryOperator<String> change) throws IOException {
    String before = Files.readString(folder.resolve(file));
    String after = change.apply(before);
    assertThat(after).as("the edit changes something").isNotEqualTo(before);
    Files.writeString(folder.resolve(file), after);
  }

  private void loadFails(Class<? extends LmmException> type, String... parts) {
    assertThatThrownBy(() -> Clip.from(folder).load().close())
        .isInstanceOf(type)
        .hasMessageContainingAll(parts);
  }

  @Test
  void aWidthThatWeightsDoNotHave() throws IOException {
    edit("config.json", s -> s.replaceAll("\"projection_dim\": \\d+", "\"projection_dim\": 40"));
    loadFails(
        CheckpointException.class,
        "model.safetensors",
        "visual_projection.weight is [32, 48]",
        "config.json implies [40, 48]");
  }

  @Test
  void aLayerThatIsNotThereOrLeftOver() throws IOException {
    edit(
        "config.json",
        s -> s.replaceAll("\"num_hidden_layers\": \\d+", "\"num_hidden_layers\": 9"));
    loadFails(CheckpointException.class, "encoder.layers.", "is missing", "config.json");
    Files.copy(
        GOOD.resolve("config.json"),
        folder.resolve("config.json"),
        StandardCopyOption.REPLACE_EXISTING);
    edit(
        "config.json",
        s -> s.replaceAll("\"num_hidden_layers\": \\d+", "\"num_hidden_layers\": 1"));
    loadFails(CheckpointException.class, "tensors are not used", "encoder.layers.1.");
  }

  @Test
  void configsThatMakeNoSense() throws IOException {
    edit("config.json", s -> s.replaceFirst("\"hidden_size\": \\d+", "\"hidden_size\": \"wide\""));
    loadFails(CheckpointException.class, "config.json", "hidden_size is \"wide\"", "an integer");
  }

  @Test
  void sizesWhoseProductOverflowsAreRefused() throws IOException {
    edit(
        "config.json",
        s ->
            s.replaceAll("\"hidden_size\": \\d+", "\"hidden_size\": 2000000000")
                .replaceAll("\"intermediate_size\": \\d+", "\"intermediate_size\": 2000000000")
                .replaceAll("\"projection_dim\": \\d+", "\"projection_dim\": 2000000000")
                .replaceAll("\"image_size\": \\d+", "\"image_size\": 2000000000")
                .replaceAll("\"patch_size\": \\d+", "\"patch_size\": 1000000000"));
    loadFails(CheckpointException.class, "config.json");
  }

  @Test
  void headsThatDoNotDivide() throws IOException {
    edit(
        "config.json",
        s -> s.replaceAll("\"num_attention_heads\": \\d+", "\"num_attention_heads\": 7"));
    loadFails(CheckpointException.class, "config.json", "hidden_size", "multiple of");
  }

  @Test
  void anUnknownActivationOrFamily() throws IOException {
    edit("config.json", s -> s.replaceAll("\"hidden_act\": \"\\w+\"", "\"hidden_act\": \"mish\""));
    loadFails(UnsupportedModelException.class, "hidden_act is \"mish\"", "quick_gelu");
    edit("config.json", s -> s.replace("\"model_type\": \"clip\"", "\"model_type\": \"llama\""));
    loadFails(UnsupportedModelException.class, "model_type is llama", "siglip2");
  }

  @Test
  void brokenJsonOfEveryFile() throws IOException {
    for (String file :
        List.of("config.json", "preprocessor_config.json", "vocab.json", "tokenizer_config.json")) {
      byte[] good = Files.readAllBytes(folder.resolve(file));
      Files.write(folder.resolve(file), Arrays.copyOf(good, good.length / 2));
      loadFails(CheckpointException.class, file);
      Files.write(folder.resolve(file), good);
    }
  }

  @Test
  void missingFiles() throws IOException {
    for (String file :
        List.of("config.json", "preprocessor_config.json", "vocab.json", "model.safetensors")) {
      byte[] good = Files.readAllBytes(folder.resolve(file));
      Files.delete(folder.resolve(file));
      loadFails(CheckpointException.class, folder.toString());
      Files.write(folder.resolve(file), good);
    }
  }

  @Test
  void picturesOfAnotherSizeThanTheTower() throws IOException {
    edit("preprocessor_config.json", s -> s.replaceAll("\"crop_size\": \\d+", "\"crop_size\": 64"));
    loadFails(CheckpointException.class, "preprocessor_config.json", "64x64", "image_size is 48");
  }

  @Test
  void weightsCutAnywhere() throws IOException {
    byte[] good = Files.readAllBytes(folder.resolve("model.safetensors"));
    Random random = new Random(5);
    for (int i = 0; i < 40; i++) {
      int length = i < 10 ? i : random.nextInt(good.length);
      Files.write(folder.resolve("model.safetensors"), Arrays.copyOf(good, length));
      loadFails(CheckpointException.class, "model.safetensors");
    }
  }

  @Test
  void headersChangedAnywhereNeverDoMoreThanRaise() throws IOException {
    byte[] good = Files.readAllBytes(folder.resolve("model.safetensors"));
    int header = (int) ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    Random random = new Random(6);
    for (int i = 0; i < 200; i++) {
      byte[] bad = good.clone();
      bad[random.nextInt(8 + header)] = (byte) random.nextInt(256);
      Files.write(folder.resolve("model.safetensors"), bad);
      try (Model model = Models.load(folder.toString())) {
        assertThat(model.summary().parameters()).isPositive();
      } catch (LmmException expected) {
        assertThat(expected).hasMessageContaining("model.safetensors");
      }
    }
  }

  @Test
  void notANumberIsNamedWithTheLayerItBeginsIn() throws IOException {
    Path file = folder.resolve("model.safetensors");
    StoredTensor tensor =
        Safetensors.read(file).stream()
            .filter(t -> t.name().equals("vision_model.encoder.layers.1.mlp.fc1.bias"))
            .findFirst()
            .orElseThrow();
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putFloat((int) tensor.offset(), Float.NaN);
    Files.write(file, bytes);
    Image image = Image.ofRgb(8, 8, new byte[192]);
    try (Encoder encoder = Clip.from(folder).load()) {
      assertThatThrownBy(() -> encoder.embed(image))
          .isInstanceOf(EngineException.class)
          .hasMessageContainingAll("clip.vision", "NaN", "item 0", "firstNonFinite");
      assertThat(encoder.inspect().firstNonFinite(image))
          .hasValueSatisfying(
              where -> assertThat(where).contains("vision_model.encoder.layers.1.mlp.fc1.bias"));
      assertThat(encoder.embed("texts are not concerned")).hasSize(32);
      assertThat(encoder.inspect().firstNonFinite("nor here")).isEmpty();
    }
  }

  @Test
  void aTokenizerFullOfNonsense() throws IOException {
    Random random = new Random(7);
    byte[] good = Files.readAllBytes(folder.resolve("vocab.json"));
    for (int i = 0; i < 100; i++) {
      byte[] bad = good.clone();
      for (int k = 0; k < 3; k++) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      Files.write(folder.resolve("vocab.json"), bad);
      try (Encoder encoder = Clip.from(folder).load()) {
        assertThat(encoder.embed("any text")).hasSize(32);
      } catch (LmmException expected) {
        assertThat(expected.getMessage()).isNotBlank();
      }
    }
    Files.write(folder.resolve("vocab.json"), "[]".getBytes(StandardCharsets.UTF_8));
    loadFails(CheckpointException.class, "vocab.json", "an object");
  }
}
