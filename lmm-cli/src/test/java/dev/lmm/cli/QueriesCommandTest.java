package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Image;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code queries}: what the golden says, through the command line. */
class QueriesCommandTest {
  private static final Path GOLDEN = Path.of("../lmm-blip2/src/test/resources/golden");
  private static final String PICTURE =
      "../lmm-clip/src/test/resources/golden/pictures/flower-144x108.png"; // the goldens' first
  private static final int ROWS = 10; // the class token and 3 x 3 patches

  @TempDir Path folder;

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

  @Test
  void writesAMapForEachQuery() {
    String model = GOLDEN.resolve("blip2-opt").toString();
    String out = folder.resolve("new/maps").toString();
    Ran ran = run("queries", model, "--image", PICTURE, "--out", out, "--json");
    assertThat(ran.err).isEmpty();
    assertThat(ran.status).isZero();
    Json json = Json.parse(ran.out.getBytes(StandardCharsets.UTF_8), "stdout");
    List<Json> queries = json.at("queries").elements();
    assertThat(queries).hasSize(6);
    try (CheckpointWeights golden =
        CheckpointWeights.ofSafetensors("golden", List.of(Path.of(model, "golden.safetensors")))) {
      int layersAndHeads = 2 * 3;
      FloatBuffer cross =
          golden.map("cross_alone", 0, 4 * layersAndHeads * 6 * ROWS).asFloatBuffer();
      for (int query = 0; query < 6; query++) {
        Json found = queries.get(query);
        assertThat(found.keys()).containsExactly("index", "file", "grid", "weights");
        assertThat(found.intAt("index")).isEqualTo(query);
        assertThat(found.at("grid").ints()).containsExactly(3, 3);
        double[] weights = found.at("weights").doubles();
        assertThat(weights).hasSize(ROWS - 1);
        for (int i = 0; i < weights.length; i++) {
          double mean = 0;
          for (int k = 0; k < layersAndHeads; k++) {
            mean += cross.get((k * 6 + query) * ROWS + 1 + i) / layersAndHeads;
          }
          assertThat(weights[i]).isCloseTo(mean, within(1e-4));
        }
        assertThat(found.stringAt("file"))
            .isEqualTo(Path.of(out, "query-0" + query + ".png").toString());
        assertThat(Image.read(Path.of(found.stringAt("file"))).width()).isEqualTo(144);
      }
    }
    assertThat(Image.read(Path.of(json.stringAt("sheet"))).width()).isEqualTo(6 * 160);
  }

  @Test
  void aTextChangesWhereTheyLook() {
    String model = GOLDEN.resolve("blip2-itm").toString();
    String out = folder.toString();
    double[][] weights = new double[3][];
    for (int i = 0; i < 3; i++) {
      Ran ran =
          i == 0
              ? run("queries", model, "--image", PICTURE, "--out", out, "--json")
              : run(
                  "queries",
                  model,
                  "--image",
                  PICTURE,
                  "--out",
                  out,
                  "--json",
                  "--text",
                  "a man",
                  i == 1 ? "--quiet" : "--rollout");
      assertThat(ran.err).isEmpty();
      Json json = Json.parse(ran.out.getBytes(StandardCharsets.UTF_8), "stdout");
      weights[i] = json.at("queries").elements().get(0).at("weights").doubles();
    }
    assertThat(weights[0]).isNotEqualTo(weights[1]);
    assertThat(weights[1]).isNotEqualTo(weights[2]);
  }

  @Test
  void wrongUseIsNamed() {
    String out = folder.toString();
    String opt = GOLDEN.resolve("blip2-opt").toString();
    assertThat(run("queries", opt, "--image", PICTURE).status).isEqualTo(2);
    Ran text = run("queries", opt, "--image", PICTURE, "--out", out, "--text", "a");
    assertThat(text.status).isEqualTo(1);
    assertThat(text.err).startsWith("lmm: text: is there").contains("first stage");
    Ran other = run("queries", "tiny-clip", "--image", PICTURE, "--out", out);
    assertThat(other.status).isEqualTo(1);
    assertThat(other.err).contains("no queries that look at pictures");
  }
}
