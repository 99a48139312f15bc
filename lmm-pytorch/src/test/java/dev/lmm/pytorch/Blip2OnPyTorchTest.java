package dev.lmm.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Caption;
import dev.lmm.CaptionRequest;
import dev.lmm.Captioner;
import dev.lmm.Image;
import dev.lmm.Match;
import dev.lmm.Matcher;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.QueryMaps;
import dev.lmm.blip2.Blip2;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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

  private static List<Integer> ints(Json json) {
    return Arrays.stream(json.ints()).boxed().toList();
  }
}
