package dev.lmm.blip2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Captioner;
import dev.lmm.CheckpointException;
import dev.lmm.Image;
import dev.lmm.LmmException;
import dev.lmm.LoadRequest;
import dev.lmm.Precision;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Other forms of the checkpoint's configs: read the same, or refused by name. */
class LayoutsTest {
  private static final Path FOLDER = Path.of("src/test/resources/golden/blip2-opt");
  private static final Path PICTURES = Path.of("../lmm-clip/src/test/resources/golden/pictures");

  @TempDir Path folder;

  @BeforeEach
  void copy() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
  }

  private void edit(String file, String found, String replacement) throws IOException {
    String text = Files.readString(folder.resolve(file));
    assertThat(text).contains(found);
    Files.writeString(folder.resolve(file), text.replace(found, replacement));
  }

  /** Published before image tokens were: the same answer. */
  @Test
  void anOlderConfigReadsTheSame() throws IOException {
    Json config = Json.parse(FOLDER.resolve("config.json"));
    int image = config.intAt("image_token_index");
    edit("config.json", "\"image_token_index\": " + image + ",", "");
    edit(
        "config.json",
        "\"max_position_embeddings\": 96,",
        "\"max_position_embeddings\": 96, \"tie_word_embeddings\": false,");
    edit("tokenizer_config.json", "\"added_tokens_decoder\"", "\"unused\"");
    Files.delete(folder.resolve("processor_config.json"));
    Json golden = Json.parse(FOLDER.resolve("golden.json"));
    Json first = golden.at("cases").elements().get(1);
    String name = golden.at("pictures").elements().get(first.intAt("picture")).string();
    try (Captioner captioner = Blip2.from(folder).load()) {
      List<Integer> tokens =
          captioner
              .caption(Image.read(PICTURES.resolve(name)))
              .prompt(first.stringAt("prompt"))
              .maxTokens(12)
              .run()
              .tokens();
      assertThat(tokens).isEqualTo(Arrays.stream(first.at("greedy").ints()).boxed().toList());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "\"model_type\": \"opt\"|\"model_type\": \"gpt2\"|opt or t5",
        "\"Blip2ForConditionalGeneration\"|\"Blip2Model\"|Blip2ForConditionalGeneration",
        "\"word_embed_proj_dim\": 40|\"word_embed_proj_dim\": 20|hidden_size, 40",
        "\"ffn_dim\": 80|\"ffn_dim\": 80, \"do_layer_norm_before\": false|do_layer_norm_before",
        "\"ffn_dim\": 80|\"ffn_dim\": 80, \"activation_function\": \"x\"|activation_function",
      })
  void whatIsNotThereIsNamed(String found, String replacement, String message) throws IOException {
    edit("config.json", found, replacement);
    refused(UnsupportedModelException.class, message);
  }

  /** In 8 and 4 bits, and with config and tokenizer alone. */
  @ParameterizedTest
  @CsvSource({"INT8, false", "INT4, false", "FP32, true"})
  void t5RunsInEveryWay(Precision precision, boolean random) throws IOException {
    Path t5 = FOLDER.resolveSibling("blip2-t5");
    Json first = Json.parse(t5.resolve("golden.json")).at("cases").elements().get(0);
    LoadRequest<Captioner> request = Blip2.from(t5).precision(precision);
    try (Captioner captioner = (random ? request.randomWeights(3) : request).load()) {
      Image image = Image.read(PICTURES.resolve("flower-144x108.png"));
      List<Integer> tokens = captioner.caption(image).maxTokens(3).run().tokens();
      assertThat(tokens).hasSizeBetween(1, 3);
      if (!random) {
        assertThat(tokens.get(0)).isEqualTo(first.at("greedy").ints()[0]);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "config.json|\"ffn_dim\": 80|\"ffn_dim\": 81|fc1",
        "config.json|\"num_query_tokens\": 6|\"num_query_tokens\": 7|query_tokens",
        "config.json|\"num_hidden_layers\": 4|\"num_hidden_layers\": 3|qformer.encoder.layer.3",
        "config.json|\"encoder_hidden_size\": 32|\"encoder_hidden_size\": 33|hidden_size",
        "config.json|\"num_attention_heads\": 3|\"num_attention_heads\": 0|num_attention_heads",
        "preprocessor_config.json|\"height\": 42|\"height\": 13|patch_size, 14",
        "preprocessor_config.json|\"width\": 42|\"width\": 16385|at most 16384",
        "preprocessor_config.json|\"do_resize\": true|\"do_resize\": false|do_resize",
      })
  void contradictionsAreNamed(String file, String found, String replacement, String message)
      throws IOException {
    edit(file, found, replacement);
    refused(CheckpointException.class, message);
  }

  private void refused(Class<? extends LmmException> kind, String message) {
    assertThatThrownBy(() -> Blip2.from(folder).load())
        .isInstanceOf(kind)
        .hasMessageContaining(message);
  }
}
