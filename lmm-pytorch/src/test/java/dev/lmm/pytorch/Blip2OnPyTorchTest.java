package dev.lmm.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.AttentionMap;
import dev.lmm.AttentionMap.Kind;
import dev.lmm.Caption;
import dev.lmm.CaptionRequest;
import dev.lmm.Captioner;
import dev.lmm.Image;
import dev.lmm.LoadRequest;
import dev.lmm.Match;
import dev.lmm.Matcher;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Precision;
import dev.lmm.QueryMaps;
import dev.lmm.blip2.Blip2;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** BLIP-2 on this engine: the answers of transformers, greedy and with beams. */
class Blip2OnPyTorchTest {
  private static final Path FOLDERS = Path.of("../lmm-blip2/src/test/resources/golden");
  private static final Path PICTURES = Path.of("../lmm-clip/src/test/resources/golden/pictures");

  @ParameterizedTest
  @ValueSource(strings = {"blip2-opt", "blip2-t5"})
  void answersEqualTheReference(String kind) {
    Path folder = FOLDERS.resolve(kind);
    Json json = Json.parse(folder.resolve("golden.json"));
    try (Captioner captioner = Blip2.from(folder).engine("pytorch").load()) {
      for (Json golden : json.at("cases").elements()) {
        String name = json.at("pictures").elements().get(golden.intAt("picture")).string();
        CaptionRequest request =
            captioner
                .caption(Image.read(PICTURES.resolve(name)))
                .prompt(golden.hasValue("prompt") ? golden.stringAt("prompt") : "")
                .maxTokens(12);
        Caption greedy = request.run();
        assertThat(greedy.tokens()).isEqualTo(ints(golden.at("greedy")));
        double[] expected = golden.at("logprobs").doubles();
        for (int i = 0; i < expected.length; i++) {
          assertThat(greedy.logProbabilities().get(i)).isCloseTo(expected[i], within(1e-3));
        }
        List<Caption> best = request.beams(5).best(3).runAll();
        List<Json> beams = golden.at("beams").elements();
        for (int i = 0; i < beams.size(); i++) {
          assertThat(best.get(i).tokens()).isEqualTo(ints(beams.get(i).at("tokens")));
        }
      }
    }
  }

  @Test
  void matchesEqualTheReference() {
    Path folder = FOLDERS.resolve("blip2-itm");
    Json json = Json.parse(folder.resolve("golden.json"));
    List<String> texts = json.at("texts").elements().stream().map(Json::string).toList();
    List<Image> images =
        json.at("pictures").elements().stream()
            .map(name -> Image.read(PICTURES.resolve(name.string())))
            .toList();
    try (Matcher matcher = Blip2.matcher(folder).engine("pytorch").load();
        CheckpointWeights golden =
            CheckpointWeights.ofSafetensors(
                "golden", List.of(folder.resolve("golden.safetensors")))) {
      int count = images.size() * texts.size();
      FloatBuffer itm = golden.map("itm", 0, 4 * count).asFloatBuffer();
      FloatBuffer itc = golden.map("itc", 0, 4 * count).asFloatBuffer();
      List<List<Match>> found = matcher.match(images, texts).batchSize(3).run();
      for (int i = 0; i < count; i++) {
        Match match = found.get(i / texts.size()).get(i % texts.size());
        assertThat(match.probability()).isCloseTo(itm.get(i), within(1e-4));
        assertThat(match.similarity()).isCloseTo(itc.get(i), within(1e-4));
      }
    }
  }

  @Test
  void queriesLookWhereTheReferenceLooks() {
    Path folder = FOLDERS.resolve("blip2-itm");
    Json json = Json.parse(folder.resolve("golden.json"));
    int[] pair = json.at("looked").elements().get(0).ints();
    String name = json.at("pictures").elements().get(pair[0]).string();
    String text = json.at("texts").elements().get(pair[1]).string();
    try (Model model = Models.model(folder.toString()).engine("pytorch").load();
        CheckpointWeights golden =
            CheckpointWeights.ofSafetensors(
                "golden", List.of(folder.resolve("golden.safetensors")))) {
      QueryMaps maps = model.queries().look(Image.read(PICTURES.resolve(name))).text(text).run();
      int rows = 1 + maps.rows() * maps.columns();
      int count = maps.layers().size() * maps.heads() * maps.queries() * rows;
      FloatBuffer cross = golden.map("cross_0", 0, 4 * count).asFloatBuffer();
      for (int layer = 0; layer < maps.layers().size(); layer++) {
        for (int head = 0; head < maps.heads(); head++) {
          for (int query = 0; query < maps.queries(); query++) {
            float[] map = maps.map(query, maps.layers().get(layer), head);
            int from = ((layer * maps.heads() + head) * maps.queries() + query) * rows + 1;
            for (int i = 0; i < map.length; i++) {
              assertThat(map[i]).isCloseTo(cross.get(from + i), within(1e-4f));
            }
          }
        }
      }
    }
  }

  /** Words, queries and patches, every layer and head, of both stages. */
  @ParameterizedTest
  @ValueSource(strings = {"blip2-itm", "blip2-opt", "blip2-t5"})
  void attentionEqualsTheReference(String kind) {
    Path folder = FOLDERS.resolve(kind);
    Json about = Json.parse(folder.resolve("attention.json"));
    Map<Kind, String> names =
        Map.of(
            Kind.TEXT_TO_TEXT, "words_",
            Kind.WORD_TO_QUERY, "queries_",
            Kind.WORD_TO_REGION, "regions_",
            Kind.QUERY_TO_REGION, "cross_",
            Kind.PATCH_TO_PATCH, "vision_");
    try (Model model = Models.model(folder.toString()).engine("pytorch").load();
        CheckpointWeights golden =
            CheckpointWeights.ofSafetensors(
                "attention", List.of(folder.resolve("attention.safetensors")))) {
      List<AttentionMap> maps =
          model
              .attention()
              .look(Image.read(PICTURES.resolve(about.stringAt("picture"))))
              .text(about.stringAt("text"))
              .run();
      assertThat(maps)
          .extracting(AttentionMap::kind)
          .containsExactlyInAnyOrderElementsOf(names.keySet());
      for (AttentionMap map : maps) {
        int from = map.from().size();
        int to = map.to().size();
        for (int layer = 0; layer < map.layers(); layer++) {
          FloatBuffer expected =
              golden
                  .map(names.get(map.kind()) + layer, 0, 4 * map.heads() * from * to)
                  .asFloatBuffer();
          for (int head = 0; head < map.heads(); head++) {
            for (int entry = 0; entry < from; entry++) {
              float[] row = map.row(layer, head, entry);
              for (int i = 0; i < to; i++) {
                assertThat(row[i])
                    .as("%s, layer %d, head %d [%d, %d]", map.kind(), layer, head, entry, i)
                    .isCloseTo(expected.get((head * from + entry) * to + i), within(1e-4f));
              }
            }
          }
        }
      }
    }
  }

  /** Language models in few bits: log-probabilities of the tokens before the texts part. */
  @ParameterizedTest
  @CsvSource({
    "blip2-opt, language, INT8, 50, 0.075",
    "blip2-opt, language, INT4, 20, 0.22",
    "blip2-t5, encoder decoder, INT8, 50, 0.1",
    "blip2-t5, encoder decoder, INT4, 15, 0.55",
  })
  void fewBitsMoveAnswersLittle(
      String kind, String parts, Precision precision, int least, double mean) {
    Path folder = FOLDERS.resolve(kind);
    Json json = Json.parse(folder.resolve("golden.json"));
    LoadRequest<Captioner> load = Blip2.from(folder).engine("pytorch");
    for (String part : parts.split(" ", -1)) {
      load = load.precision(part, precision);
    }
    double sum = 0;
    int same = 0;
    try (Captioner captioner = load.load()) {
      for (Json golden : json.at("cases").elements()) {
        String name = json.at("pictures").elements().get(golden.intAt("picture")).string();
        String prompt = golden.hasValue("prompt") ? golden.stringAt("prompt") : "";
        Caption found =
            captioner
                .caption(Image.read(PICTURES.resolve(name)))
                .prompt(prompt)
                .maxTokens(12)
                .run();
        List<Integer> tokens = ints(golden.at("greedy"));
        double[] expected = golden.at("logprobs").doubles();
        for (int i = 0; i < Math.min(tokens.size(), found.tokens().size()); i++) {
          if (!found.tokens().get(i).equals(tokens.get(i))) {
            break;
          }
          sum += Math.abs(found.logProbabilities().get(i) - expected[i]);
          same++;
        }
      }
    }
    assertThat(same).as("tokens before texts part").isGreaterThanOrEqualTo(least);
    // Single precision is within 1e-5: that it was quantized shows.
    assertThat(sum / same).isBetween(2e-4, mean);
  }

  private static List<Integer> ints(Json json) {
    return Arrays.stream(json.ints()).boxed().toList();
  }
}
