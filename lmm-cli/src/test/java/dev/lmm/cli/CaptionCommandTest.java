package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code caption} and {@code ask}: what the golden says, through the command line. */
class CaptionCommandTest {
  private static final String MODEL = "../lmm-blip2/src/test/resources/golden/blip2-opt";
  private static final String PICTURES = "../lmm-clip/src/test/resources/golden/pictures/";
  private static final Json GOLDEN = Json.parse(Path.of(MODEL, "golden.json"));

  private record Ran(int status, String out, String err) {}

  private static Ran run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status;
    try (PrintStream o = new PrintStream(out, true, StandardCharsets.UTF_8);
        PrintStream e = new PrintStream(err, true, StandardCharsets.UTF_8)) {
      status = Main.run(o, e, arguments);
    }
    return new Ran(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private static String picture(int index) {
    return PICTURES + GOLDEN.at("pictures").elements().get(index).string();
  }

  private static Json golden(int picture, String prompt) {
    return GOLDEN.at("cases").elements().stream()
        .filter(c -> c.intAt("picture") == picture)
        .filter(c -> (c.hasValue("prompt") ? c.stringAt("prompt") : "").startsWith(prompt))
        .findFirst()
        .orElseThrow();
  }

  private static List<Json> results(Ran ran) {
    assertThat(ran.err).isEmpty();
    assertThat(ran.status).isZero();
    Json json = Json.parse(ran.out.getBytes(StandardCharsets.UTF_8), "stdout");
    assertThat(json.keys()).contains("model", "engine", "device", "precision");
    return json.at("results").elements();
  }

  @Test
  void captionGivesNewTokensOnly() {
    List<Json> results =
        results(
            run(
                "caption",
                MODEL,
                "--image",
                picture(0),
                "--image",
                picture(1),
                "--prompt",
                "a photo of",
                "--max-tokens",
                "12",
                "--json"));
    assertThat(results).hasSize(2);
    for (int i = 0; i < 2; i++) {
      Json expected = golden(i, "a photo");
      assertThat(results.get(i).stringAt("image")).isEqualTo(picture(i));
      assertThat(results.get(i).at("tokens").ints()).isEqualTo(expected.at("greedy").ints());
      assertThat(results.get(i).stringAt("text")).isEqualTo(expected.stringAt("text"));
      assertThat(results.get(i).at("logprobs").doubles())
          .hasSameSizeAs(expected.at("logprobs").doubles());
    }
  }

  @Test
  void askPutsTheQuestionInItsForm() {
    List<Json> results =
        results(
            run(
                "ask",
                MODEL,
                "--image",
                picture(2),
                "--question",
                "what is in the picture?",
                "--beams",
                "5",
                "--max-tokens",
                "12",
                "--json"));
    Json best = golden(2, "Question").at("beams").elements().get(0);
    assertThat(results.get(0).at("tokens").ints()).isEqualTo(best.at("tokens").ints());
    assertThat(results.get(0).stringAt("text")).isEqualTo(best.stringAt("text"));
  }

  @Test
  void wrongUseIsNamed() {
    Ran none = run("caption", "tiny-clip", "--image", picture(0));
    assertThat(none.status).isEqualTo(1);
    assertThat(none.err).startsWith("lmm: ").contains("it has no captioner");
    Ran beams = run("caption", MODEL, "--image", picture(0), "--beams", "0");
    assertThat(beams.status).isEqualTo(1);
    assertThat(beams.err).contains("beams: is 0; expected 1 to 64");
    assertThat(run("ask", MODEL, "--image", picture(0)).status).isEqualTo(2);
  }
}
