package dev.lmm.qwenvl.internal;

import static dev.lmm.qwenvl.internal.QwenGolden.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.decode.Prompt;
import dev.lmm.core.json.Json;
import dev.lmm.core.json.JsonText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The places where a chat template and the layouts in which a config are published: a load of each,
 * the same prompt and the same logits.
 */
class LayoutsTest {
  @TempDir private Path folder;

  /**
   * {@code qwen4} is in the form of transformers 4 (flat config, torch_dtype, rope_scaling, shards,
   * vocab.json with merges.txt), {@code qwen5} in that of 5 (text_config, dtype, rope_parameters,
   * one file, tokenizer.json); the template is put where the test says.
   */
  @ParameterizedTest
  @CsvSource({
    "qwen4, chat_template.json", "qwen4, chat_template.jinja", "qwen4, tokenizer_config.json",
    "qwen4, several", "qwen5, chat_template.json", "qwen5, chat_template.jinja",
    "qwen5, tokenizer_config.json", "qwen5, several"
  })
  void templatesAndConfigsInEveryPlace(String name, String place) throws IOException {
    Path source = QwenGolden.ROOT.resolve(name);
    String template =
        name.equals("qwen5")
            ? Files.readString(source.resolve("chat_template.jinja"))
            : Json.parse(source.resolve("chat_template.json")).stringAt("chat_template");
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.toList()) {
        if (!file.getFileName().toString().startsWith("chat_template")
            && !file.getFileName().toString().startsWith("golden")) {
          Files.copy(file, folder.resolve(file.getFileName()));
        }
      }
    }
    Path config = folder.resolve("tokenizer_config.json");
    switch (place) {
      case "chat_template.jinja" -> Files.writeString(folder.resolve(place), template);
      case "chat_template.json" ->
          Files.writeString(folder.resolve(place), JsonText.of(Map.of("chat_template", template)));
      case "several" ->
          put(
              config,
              List.of(
                  Map.of("name", "tool_use", "template", "{{ nothing.of.use }}"),
                  Map.of("name", "default", "template", template)));
      default -> put(config, template);
    }
    Json golden = Json.parse(source.resolve("golden.json"));
    Json one = golden.at("cases").elements().get(3);
    try (CheckpointWeights tensors =
            CheckpointWeights.ofSafetensors(name, List.of(source.resolve("golden.safetensors")));
        Model loaded = Models.load(folder.toString())) {
      QwenModel model = ((QwenModel.Role) loaded.chat()).model();
      Prompt prompt = model.prompt(QwenGolden.messages(model, golden, one), null);
      assertThat(prompt.ids()).isEqualTo(one.at("ids").ints());
      ByteBuffer bytes = tensors.map("logits.3", 0, (int) tensors.locate("logits.3").length());
      float[] expected = new float[bytes.remaining() / 4];
      bytes.asFloatBuffer().get(expected);
      assertClose(name, QwenParity.firstLogits(model, prompt), expected, 1e-4);
    }
  }

  private static void put(Path config, Object template) throws IOException {
    Json json = Json.parse(config);
    Map<String, Object> changed = new LinkedHashMap<>();
    json.keys().forEach(key -> changed.put(key, json.at(key).raw()));
    changed.put("chat_template", template);
    Files.writeString(config, JsonText.of(changed));
  }
}
