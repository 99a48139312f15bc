package dev.lmm.blip2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Image;
import dev.lmm.Match;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.QueryMaps;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Pictures of other sizes than those that the positions were trained on: transformers' {@code
 * interpolate_pos_encoding}. The size is that of preprocessor_config.json.
 */
class SizesTest {
  private static final Path GOLDENS = Path.of("src/test/resources/golden");
  private static final Path SIZES = GOLDENS.resolve("blip2-sizes");
  private static final Json GOLDEN = Json.parse(SIZES.resolve("golden.json"));
  private static final Image PICTURE =
      Image.read(
          Path.of("../lmm-clip/src/test/resources/golden/pictures")
              .resolve(GOLDEN.stringAt("picture")));
  private static final int PATCH = 14;

  @TempDir Path folder;

  /** A checkpoint whose processor makes pictures of another size. */
  private Model load(String name, Json size, String engine) throws IOException {
    Path copy = folder.resolve(name + size.intAt("height") + "x" + size.intAt("width"));
    Files.createDirectories(copy);
    try (Stream<Path> files = Files.list(GOLDENS.resolve(name))) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    Path processor = copy.resolve("preprocessor_config.json");
    Files.writeString(
        processor,
        Files.readString(processor)
            .replace("\"height\": 42", "\"height\": " + size.intAt("height"))
            .replace("\"width\": 42", "\"width\": " + size.intAt("width")));
    return Models.model(copy.toString()).engine(engine).load();
  }

  @ParameterizedTest
  @ValueSource(strings = {"onnx", "reference"})
  void whatIsSeenEqualsTheReference(String engine) throws IOException {
    List<Json> sizes = GOLDEN.at("sizes").elements();
    assertThat(sizes).hasSize(4);
    for (int n = 0; n < sizes.size(); n++) {
      Json size = sizes.get(n);
      int rows = size.intAt("height") / PATCH;
      int columns = size.intAt("width") / PATCH;
      try (Model model = load("blip2-opt", size, engine)) {
        close(model.inspect().preprocess(PICTURE).values(), golden("pixels_" + n), 1e-6);
        close(
            model.encoder().images(List.of(PICTURE)).raw().run().vector(0),
            golden("queries_" + n),
            1e-4);
        assertThat(
                model
                    .captioner()
                    .caption(PICTURE)
                    .prompt(GOLDEN.stringAt("prompt"))
                    .maxTokens(8)
                    .run()
                    .tokens())
            .isEqualTo(Arrays.stream(size.at("greedy").ints()).boxed().toList());
        QueryMaps maps = model.queries().look(PICTURE).run();
        assertThat(maps.rows()).isEqualTo(rows);
        assertThat(maps.columns()).isEqualTo(columns);
        float[] cross = golden("cross_" + n);
        int each = 1 + rows * columns;
        int at = 0;
        for (int layer : maps.layers()) {
          for (int head = 0; head < maps.heads(); head++) {
            for (int query = 0; query < maps.queries(); query++, at += each) {
              close(
                  maps.map(query, layer, head), Arrays.copyOfRange(cross, at + 1, at + each), 1e-4);
            }
          }
        }
        assertThat(at).isEqualTo(cross.length);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"onnx", "reference"})
  void matchesEqualTheReference(String engine) throws IOException {
    for (Json size : GOLDEN.at("sizes").elements()) {
      try (Model model = load("blip2-itm", size, engine)) {
        Match match = model.matcher().match(PICTURE, GOLDEN.stringAt("text"));
        assertThat(match.probability()).isCloseTo(size.doubleAt("probability"), within(1e-4));
        assertThat(match.similarity()).isCloseTo(size.doubleAt("similarity"), within(1e-4));
      }
    }
  }

  /** What the tower's patches attend to has the same rows. */
  @Test
  void attentionHasThePatchesOfTheSize() throws IOException {
    Json flat = GOLDEN.at("sizes").elements().get(2);
    try (Model model = load("blip2-opt", flat, "onnx")) {
      assertThat(model.attention().look(PICTURE).text("a").run())
          .anySatisfy(
              map -> {
                assertThat(map.to().rows()).isEqualTo(2);
                assertThat(map.to().columns()).isEqualTo(5);
              });
    }
  }

  private static void close(float[] found, float[] expected, double tolerance) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      assertThat((double) found[i]).isCloseTo(expected[i], within(tolerance));
    }
  }

  private static float[] golden(String name) {
    Path file = SIZES.resolve("golden.safetensors");
    try (CheckpointWeights golden = CheckpointWeights.ofSafetensors("golden", List.of(file))) {
      ByteBuffer bytes = golden.map(name, 0, (int) golden.locate(name).length());
      float[] values = new float[bytes.remaining() / 4];
      bytes.asFloatBuffer().get(values);
      return values;
    }
  }
}
