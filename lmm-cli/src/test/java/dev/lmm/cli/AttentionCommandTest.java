package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Image;
import dev.lmm.core.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code attention}: a picture for each kind, layer and head. */
class AttentionCommandTest {
  private static final String MODEL = "../lmm-clip/src/test/resources/golden/clip-openai";
  private static final String PICTURE =
      "../lmm-clip/src/test/resources/golden/pictures/flower-144x108.png";

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
  void writesAPictureForEachLayerAndHead() {
    String out = folder.resolve("new/maps").toString();
    Ran ran = run("attention", MODEL, "--image", PICTURE, "--text", "a b", "--out", out, "--json");
    assertThat(ran.err).isEmpty();
    assertThat(ran.status).isZero();
    Json json = Json.parse(ran.out.getBytes(StandardCharsets.UTF_8), "stdout");
    assertThat(json.keys()).startsWith("model", "engine", "device", "precision");
    List<Json> maps = json.at("maps").elements();
    assertThat(maps).hasSize(2 * 2 + 2 * 3);
    for (Json map : maps) {
      assertThat(map.keys()).containsExactly("kind", "layer", "head", "file");
      Image drawn = Image.read(Path.of(map.stringAt("file")));
      assertThat(drawn.width()).isPositive();
    }
    assertThat(maps.get(9).stringAt("kind")).isEqualTo("patch-to-patch");
    assertThat(maps.get(9).intAt("layer")).isEqualTo(1);
    assertThat(maps.get(9).intAt("head")).isEqualTo(2);
  }

  /**
   * The first stage of BLIP-2: with a text five kinds, four layers of three heads, two that look.
   */
  @Test
  void showsWhatQueriesAndWordsOfAMatcherLookAt() {
    String out = folder.toString();
    Ran ran =
        run(
            "attention",
            "tiny-blip2-itm",
            "--image",
            PICTURE,
            "--text",
            "a red circle",
            "--out",
            out,
            "--head",
            "1",
            "--json");
    assertThat(ran.err).isEmpty();
    assertThat(ran.status).isZero();
    List<String> kinds =
        Json.parse(ran.out.getBytes(StandardCharsets.UTF_8), "stdout")
            .at("maps")
            .elements()
            .stream()
            .map(map -> map.stringAt("kind"))
            .toList();
    assertThat(kinds).hasSize(4 * 4 + 2);
    assertThat(kinds.stream().distinct())
        .containsExactly(
            "text-to-text", "word-to-query", "word-to-region", "query-to-region", "patch-to-patch");
    Image queries = Image.read(folder.resolve("query-to-region-layer-01-head-01.png"));
    assertThat(queries.width()).isEqualTo(8 * 160);
    assertThat(queries.height()).isEqualTo(2 * 120); // sixteen queries
  }

  @Test
  void layerAndHeadCanBeChosen() {
    String out = folder.toString();
    Ran one =
        run("attention", MODEL, "--image", PICTURE, "--out", out, "--layer", "1", "--head", "0");
    assertThat(one.status).isZero();
    assertThat(folder.resolve("patch-to-patch-layer-01-head-00.png")).isRegularFile();
    assertThat(folder.toFile().list()).hasSize(1);
    Ran beyond = run("attention", MODEL, "--image", PICTURE, "--out", out, "--layer", "7");
    assertThat(beyond.status).isEqualTo(1);
    assertThat(beyond.err).startsWith("lmm: layer: is 7; expected 0 to 1");
    assertThat(run("attention", MODEL, "--image", PICTURE).status).isEqualTo(2);
  }
}
