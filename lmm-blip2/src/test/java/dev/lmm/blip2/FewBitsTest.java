package dev.lmm.blip2;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Caption;
import dev.lmm.Captioner;
import dev.lmm.Image;
import dev.lmm.LoadRequest;
import dev.lmm.Precision;
import dev.lmm.core.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Language models in 8 and 4 bits, everything else in single precision: how far they are from
 * transformers. Up to where the texts part, the same tokens have been read, so log-probabilities
 * can be compared.
 */
class FewBitsTest {
  private static final Path FOLDERS = Path.of("src/test/resources/golden");
  private static final Path PICTURES = Path.of("../lmm-clip/src/test/resources/golden/pictures");

  private static LoadRequest<Captioner> request(String kind, String engine, Precision precision) {
    LoadRequest<Captioner> request = Blip2.from(FOLDERS.resolve(kind)).engine(engine);
    for (String part :
        kind.equals("blip2-t5") ? List.of("encoder", "decoder") : List.of("language")) {
      request = request.precision(part, precision);
    }
    return request;
  }

  private record Moved(int same, int all, double mean, double most, List<List<Double>> found) {}

  private static Moved moved(String kind, String engine, Precision precision) {
    Json golden = Json.parse(FOLDERS.resolve(kind).resolve("golden.json"));
    int same = 0;
    int all = 0;
    double sum = 0;
    double most = 0;
    List<List<Double>> found = new ArrayList<>();
    try (Captioner captioner = request(kind, engine, precision).load()) {
      for (Json wanted : golden.at("cases").elements()) {
        String picture = golden.at("pictures").elements().get(wanted.intAt("picture")).string();
        String prompt = wanted.hasValue("prompt") ? wanted.stringAt("prompt") : "";
        Caption caption =
            captioner
                .caption(Image.read(PICTURES.resolve(picture)))
                .prompt(prompt)
                .maxTokens(12)
                .run();
        int[] tokens = wanted.at("greedy").ints();
        double[] expected = wanted.at("logprobs").doubles();
        all += tokens.length;
        List<Double> own = new ArrayList<>();
        found.add(own);
        for (int i = 0; i < tokens.length && i < caption.tokens().size(); i++) {
          if (caption.tokens().get(i) != tokens[i]) {
            break;
          }
          double distance = Math.abs(caption.logProbabilities().get(i) - expected[i]);
          assertThat(distance).isNotNaN();
          own.add(caption.logProbabilities().get(i));
          same++;
          sum += distance;
          most = Math.max(most, distance);
        }
      }
    }
    return new Moved(same, all, sum / same, most, found);
  }

  /**
   * Measured and told in docs/blip2.md. The engines multiply the same codes: they are nearer to
   * each other than to the reference.
   */
  @ParameterizedTest
  @CsvSource({
    "blip2-opt, INT8, 80, 0.045",
    "blip2-opt, INT4, 20, 0.2",
    "blip2-t5, INT8, 50, 0.07",
    "blip2-t5, INT4, 15, 0.55",
  })
  void answersMoveAsLittleAsIsTold(String kind, Precision precision, int same, double mean) {
    Moved one = moved(kind, "onnx", precision);
    Moved other = moved(kind, "reference", precision);
    for (Moved moved : List.of(one, other)) {
      assertThat(moved.same())
          .as("tokens of %s before texts part", moved.all())
          .isGreaterThanOrEqualTo(same);
      // Single precision is within 1e-5: that it was quantized shows.
      assertThat(moved.mean()).isBetween(2e-4, mean);
    }
    double apart = 0;
    int both = 0;
    for (int n = 0; n < one.found().size(); n++) {
      List<Double> first = one.found().get(n);
      List<Double> second = other.found().get(n);
      for (int i = 0; i < Math.min(first.size(), second.size()); i++) {
        apart += Math.abs(first.get(i) - second.get(i));
        both++;
      }
    }
    // Where two tokens are as likely, rounding decides.
    assertThat(both).isGreaterThanOrEqualTo(Math.max(one.same(), other.same()) - 4);
    assertThat(apart / both).as("between the engines").isLessThan(one.mean() / 2);
  }
}
