package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code match}: what the golden says, through the command line. */
class MatchCommandTest {
  private static final Path MODEL = Path.of("../lmm-blip2/src/test/resources/golden/blip2-itm");
  private static final String PICTURES = "../lmm-clip/src/test/resources/golden/pictures/";
  private static final Json GOLDEN = Json.parse(MODEL.resolve("golden.json"));

  private record Ran(int status, String out, String err) {}

  private static Ran run(List<String> arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status;
    try (PrintStream o = new PrintStream(out, true, StandardCharsets.UTF_8);
        PrintStream e = new PrintStream(err, true, StandardCharsets.UTF_8)) {
      status = Main.run(o, e, arguments.toArray(new String[0]));
    }
    return new Ran(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  @Test
  void scoresEveryTextForEveryPicture() {
    List<String> arguments = new ArrayList<>(List.of("match", MODEL.toString()));
    List<String> pictures =
        GOLDEN.at("pictures").elements().stream().map(p -> PICTURES + p.string()).toList();
    List<String> texts = GOLDEN.at("texts").elements().stream().map(Json::string).toList();
    pictures.forEach(picture -> arguments.addAll(List.of("--image", picture)));
    texts.forEach(text -> arguments.addAll(List.of("--text", text)));

    List<String> forJson = new ArrayList<>(arguments);
    forJson.add("--json");
    Ran ran = run(forJson);
    assertThat(ran.err).isEmpty();
    assertThat(ran.status).isZero();
    Json json = Json.parse(ran.out.getBytes(StandardCharsets.UTF_8), "stdout");
    assertThat(json.keys()).containsExactly("model", "engine", "device", "precision", "results");
    List<Json> results = json.at("results").elements();
    assertThat(results).hasSameSizeAs(pictures);
    try (CheckpointWeights golden =
        CheckpointWeights.ofSafetensors("golden", List.of(MODEL.resolve("golden.safetensors")))) {
      int count = pictures.size() * texts.size();
      FloatBuffer itm = golden.map("itm", 0, 4 * count).asFloatBuffer();
      FloatBuffer itc = golden.map("itc", 0, 4 * count).asFloatBuffer();
      for (int i = 0; i < count; i++) {
        Json result = results.get(i / texts.size());
        assertThat(result.keys()).containsExactly("image", "scores");
        assertThat(result.stringAt("image")).isEqualTo(pictures.get(i / texts.size()));
        Json score = result.at("scores").elements().get(i % texts.size());
        assertThat(score.keys()).containsExactly("text", "itm", "itc");
        assertThat(score.stringAt("text")).isEqualTo(texts.get(i % texts.size()));
        assertThat(score.doubleAt("itm")).isCloseTo(itm.get(i), within(1e-4));
        assertThat(score.doubleAt("itc")).isCloseTo(itc.get(i), within(1e-4));
      }
    }

    Ran forPeople = run(arguments);
    assertThat(forPeople.status).isZero();
    assertThat(forPeople.out.lines()).hasSize(pictures.size() * (1 + texts.size()));
    assertThat(forPeople.out).startsWith(pictures.get(0)).contains("similarity 0.");
  }

  @Test
  void wrongUseIsNamed() {
    String picture = PICTURES + "flower-144x108.png";
    assertThat(run(List.of("match", MODEL.toString(), "--image", picture)).status).isEqualTo(2);
    Ran other = run(List.of("match", "tiny-clip", "--image", picture, "--text", "a"));
    assertThat(other.status).isEqualTo(1);
    assertThat(other.err).startsWith("lmm: ").contains("it has no matcher");
  }
}
