package dev.lmm.tiny;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Probability;
import dev.lmm.Score;
import dev.lmm.core.json.Json;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Scenes nobody was trained on: the right caption among forty, and Python's numbers case by case.
 */
class HeldOutTest {
  private static final Path ROOT = Path.of("src/test/resources/heldout");

  @ParameterizedTest
  @CsvSource({"tiny-clip,en", "tiny-clip,ko", "tiny-siglip2,en", "tiny-siglip2,ko"})
  void findsTheCaptionAndEqualsPython(String model, String language) {
    List<Json> scenes = Json.parse(ROOT.resolve("scenes.json")).at("scenes").elements();
    List<Json> python = Json.parse(ROOT.resolve(model + ".json")).at("cases").elements();
    assertThat(scenes).hasSize(100).hasSameSizeAs(python);
    int right = 0;
    try (Encoder encoder = Models.encoder(model).load()) {
      for (int i = 0; i < scenes.size(); i++) {
        Json scene = scenes.get(i);
        Image picture = Image.read(ROOT.resolve("pictures").resolve(scene.stringAt("picture")));
        List<String> captions = scene.at(language).elements().stream().map(Json::string).toList();
        List<Score> scores = encoder.rank(List.of(picture), captions, Probability.FAMILY).get(0);
        Score best = Score.best(scores);
        if (captions.indexOf(best.text()) == scene.intAt("right")) {
          right++;
        }
        Json answer = python.get(i).at(language);
        double[] logits = answer.at("logits").doubles();
        for (int c = 0; c < logits.length; c++) {
          assertThat(Math.abs(scores.get(c).logit() - logits[c]))
              .as("%s, scene %d, %s", model, i, captions.get(c))
              .isLessThanOrEqualTo(1e-3);
        }
        // Where Python's two best are apart, the answers are the same.
        assertThat(scores.get(answer.intAt("top1")).logit())
            .as("%s, scene %d: Python's choice", model, i)
            .isGreaterThanOrEqualTo(best.logit() - 2e-3);
      }
    }
    assertThat(right).as("%s, %s: right of 100", model, language).isGreaterThanOrEqualTo(95);
  }
}
