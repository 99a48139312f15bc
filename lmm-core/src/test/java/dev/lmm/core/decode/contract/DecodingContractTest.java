package dev.lmm.core.decode.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.core.decode.Decoder;
import dev.lmm.core.decode.Generation;
import dev.lmm.core.decode.GenerationOptions;
import dev.lmm.core.decode.GenerationOptions.EarlyStopping;
import dev.lmm.core.decode.Prompt;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every engine writes the answers that transformers writes with the same model. */
public abstract class DecodingContractTest {
  @TempDir Path folder;
  private TinyQwen model;

  /** The engine under test. */
  protected abstract Engine engine();

  @BeforeEach
  void load() throws IOException {
    model = new TinyQwen(engine(), golden(folder, "model.safetensors"));
  }

  @AfterEach
  void close() {
    model.close();
  }

  /** A file of the golden, copied out of the class path. */
  public static Path golden(Path folder, String name) throws IOException {
    Path file = folder.resolve(name);
    String resource = "/golden/decoding/" + name;
    try (InputStream in =
        Objects.requireNonNull(DecodingContractTest.class.getResourceAsStream(resource))) {
      Files.copy(in, file);
    }
    return file;
  }

  /** The options under transformers' names. */
  public static GenerationOptions options(Json o) {
    GenerationOptions options = GenerationOptions.GREEDY;
    for (String key : o.keys()) {
      Json value = o.at(key);
      options =
          switch (key) {
            case "do_sample" -> options.sample(value.bool());
            case "temperature" -> options.temperature((float) value.asDouble());
            case "top_k" -> options.topK(value.asInt());
            case "top_p" -> options.topP((float) value.asDouble());
            case "min_p" -> options.minP((float) value.asDouble());
            case "repetition_penalty" -> options.repetitionPenalty((float) value.asDouble());
            case "no_repeat_ngram_size" -> options.noRepeatNgram(value.asInt());
            case "min_new_tokens" -> options.minTokens(value.asInt());
            case "max_new_tokens" -> options.maxTokens(value.asInt());
            case "num_beams" -> options.beams(value.asInt());
            case "num_return_sequences" -> options.best(value.asInt());
            case "length_penalty" -> options.lengthPenalty((float) value.asDouble());
            case "early_stopping" ->
                options.earlyStopping(value.isBool() ? EarlyStopping.TRUE : EarlyStopping.NEVER);
            default -> throw new AssertionError(key);
          };
    }
    return options;
  }

  @Test
  void answersAreThoseOfTransformers() throws IOException {
    Json golden = Json.parse(golden(folder, "answers.json"));
    Decoder decoder = new Decoder(model, null, golden.at("end").ints());
    int compared = 0;
    for (Json each : golden.at("cases").elements()) {
      GenerationOptions options = options(each.at("options"));
      Prompt prompt = Prompt.of(each.at("prompt").ints());
      List<Generation> found =
          options.beams() > 1
              ? decoder.search(prompt, options)
              : List.of(decoder.generate(prompt, options));
      List<Json> expected = each.at("answers").elements();
      assertThat(found).hasSize(expected.size());
      for (int i = 0; i < found.size(); i++) {
        String place = each.stringAt("name") + " " + each.place() + " answer " + i;
        assertThat(found.get(i).ids()).as(place).isEqualTo(expected.get(i).at("ids").ints());
        double[] own = expected.get(i).at("log_probabilities").doubles();
        for (int k = 0; k < own.length; k++) {
          assertThat((double) found.get(i).tokens().get(k).logProbability())
              .as(place + " token " + k)
              .isCloseTo(own[k], within(1e-4));
        }
        if (options.beams() > 1) {
          assertThat((double) found.get(i).score())
              .as(place)
              .isCloseTo(expected.get(i).doubleAt("score"), within(1e-4));
        }
        compared++;
      }
    }
    assertThat(compared).isEqualTo(87);
  }

  @Test
  void aBatchOfUnequalPromptsEqualsItsSingles() {
    List<Prompt> prompts = new ArrayList<>();
    for (int n = 1; n <= 5; n++) {
      int[] ids = new int[3 * n];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = (13 * i + 7 * n) % 97;
      }
      prompts.add(Prompt.of(ids));
    }
    Decoder decoder = new Decoder(model, null, 5, 11, 30, 31, 32);
    GenerationOptions options = GenerationOptions.GREEDY.maxTokens(12);
    List<Generation> batch = decoder.generate(prompts, options, 5);
    for (int i = 0; i < prompts.size(); i++) {
      assertThat(batch.get(i).ids())
          .as("prompt %d", i)
          .isEqualTo(decoder.generate(prompts.get(i), options).ids());
    }
  }
}
