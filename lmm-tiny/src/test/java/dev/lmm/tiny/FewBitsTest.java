package dev.lmm.tiny;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.EngineException;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Precision;
import dev.lmm.Probability;
import dev.lmm.Quantization;
import dev.lmm.Score;
import dev.lmm.core.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The tiny models in few bits: they still find the right caption, and say almost the same. */
class FewBitsTest {
  private static final Path ROOT = Path.of("src/test/resources/heldout");

  @ParameterizedTest
  @CsvSource({"INT8,en", "INT8,ko", "INT4,en", "INT4,ko"})
  void tinyClipKeepsItsAnswers(Precision precision, String language) {
    List<Json> scenes = Json.parse(ROOT.resolve("scenes.json")).at("scenes").elements();
    int right = 0;
    try (Encoder encoder = Models.encoder("tiny-clip").precision(precision).load()) {
      for (Json scene : scenes) {
        Image picture = Image.read(ROOT.resolve("pictures").resolve(scene.stringAt("picture")));
        List<String> captions = scene.at(language).elements().stream().map(Json::string).toList();
        List<Score> scores = encoder.rank(List.of(picture), captions, Probability.FAMILY).get(0);
        if (captions.indexOf(Score.best(scores).text()) == scene.intAt("right")) {
          right++;
        }
      }
    }
    assertThat(right).as("%s, %s: right of 100", precision, language).isGreaterThanOrEqualTo(94);
  }

  /**
   * The first 20 scenes of {@link TinyBlip2Test}, with the language model in few bits: as many of
   * the 240 answers are still those of single precision, word for word, as docs/blip2.md tells.
   */
  @ParameterizedTest
  @CsvSource({"INT8,236", "INT4,234"})
  void tinyBlip2KeepsItsAnswers(Precision precision, int same) {
    List<Json> scenes = Json.parse(ROOT.resolve("blip2.json")).at("scenes").elements();
    int kept = 0;
    int asked = 0;
    try (Model model = Models.model("tiny-blip2").precision("language", precision).load()) {
      for (Json scene : scenes.subList(0, 20)) {
        Image picture = Image.read(ROOT.resolve("blip2").resolve(scene.stringAt("picture")));
        for (Json each : scene.at("asked").elements()) {
          String answer = TinyBlip2Test.request(model, picture, each).run().text();
          kept += answer.equals(each.stringAt("answer")) ? 1 : 0;
          asked++;
        }
      }
    }
    assertThat(asked).isEqualTo(240);
    assertThat(kept).as("%s: kept of 240", precision).isBetween(same, 240);
  }

  @ParameterizedTest
  @CsvSource({"INT8,0.999", "INT4,0.98"})
  void enginesAgreeInFewBits(Precision precision, double nearness) {
    Image picture = Image.read(ROOT.resolve("pictures").resolve("000.png"));
    String text = "a photo of a red circle";
    float[][] found = new float[3][];
    float[][] texts = new float[3][];
    String[] engines = {"onnx", "onnx", "reference"};
    for (int i = 0; i < 3; i++) {
      Precision in = i == 0 ? Precision.FP32 : precision;
      try (Model model =
          Models.model("tiny-clip")
              .engine(engines[i])
              .precision(in)
              .precision("vision", in)
              .load()) {
        assertThat(model.info().precision()).isEqualTo(in);
        found[i] = model.encoder().embed(picture);
        texts[i] = model.encoder().embed(text);
      }
    }
    // Each engine adds up in its own order: now and then an activation rounds to the other code.
    assertThat(cosine(found[1], found[2])).isGreaterThan(0.9999);
    assertThat(cosine(texts[1], texts[2])).isGreaterThan(0.9999);
    assertThat(cosine(found[0], found[1])).isBetween(nearness, 0.999999);
    assertThat(cosine(texts[0], texts[1])).isBetween(nearness, 0.999999);
  }

  @Test
  void theCallerChoosesHowWeightsComeIntoFewBits() {
    Quantization large = Quantization.DEFAULT.withBlock(128);
    double plain = nearness(Quantization.DEFAULT);
    double coarse = nearness(large);
    assertThat(coarse).isLessThan(plain);
    assertThat(nearness(large.withSearch())).isGreaterThan(coarse);
    assertThat(nearness(Quantization.DEFAULT.withZeroPoints())).isGreaterThan(plain);
    assertThat(nearness(Quantization.DEFAULT.withBlock(16))).isGreaterThan(plain);
    assertThatThrownBy(() -> Quantization.DEFAULT.withBlock(48))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("quantization: block is 48; expected 16, 32, 64, 128 or 256");
  }

  /** Mean cosine of embeddings at INT4 to those in single precision. */
  private static double nearness(Quantization quantization) {
    List<String> texts = new ArrayList<>();
    for (Json scene : Json.parse(ROOT.resolve("scenes.json")).at("scenes").elements()) {
      texts.addAll(scene.at("en").elements().subList(0, 2).stream().map(Json::string).toList());
    }
    try (Encoder whole = Models.encoder("tiny-clip").load();
        Encoder four =
            Models.encoder("tiny-clip")
                .precision(Precision.INT4)
                .quantization(quantization)
                .load()) {
      Embeddings expected = whole.texts(texts).run();
      Embeddings found = four.texts(texts).run();
      double sum = 0;
      for (int i = 0; i < texts.size(); i++) {
        sum += expected.cosine(i, found, i);
      }
      return sum / texts.size();
    }
  }

  @Test
  void atFourBitsTheVisionTowerStaysUnlessNamed() {
    Image picture = Image.read(ROOT.resolve("pictures").resolve("000.png"));
    try (Model whole = Models.model("tiny-clip").load();
        Model four = Models.model("tiny-clip").precision(Precision.INT4).load();
        Model named =
            Models.model("tiny-clip")
                .precision(Precision.INT4)
                .precision("vision", Precision.INT4)
                .load()) {
      float[] expected = whole.encoder().embed(picture);
      assertThat(four.encoder().embed(picture)).isEqualTo(expected);
      assertThat(named.encoder().embed(picture)).isNotEqualTo(expected);
      assertThat(four.encoder().embed("a dog")).isNotEqualTo(whole.encoder().embed("a dog"));
    }
  }

  @Test
  void whatIsNotSupportedNamesWhatIs() {
    assertThatThrownBy(() -> Models.model("tiny-clip").precision(Precision.FP16).load())
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("fp16")
        .hasMessageContaining("it has fp32, int8, int4");
  }

  private static double cosine(float[] a, float[] b) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
    }
    return ab / Math.sqrt(aa * bb);
  }
}
