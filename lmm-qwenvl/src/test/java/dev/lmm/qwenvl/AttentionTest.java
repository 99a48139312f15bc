package dev.lmm.qwenvl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.AttentionMap;
import dev.lmm.AttentionMap.Kind;
import dev.lmm.AttentionRequest;
import dev.lmm.ClosedException;
import dev.lmm.Image;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What words and places attend to: transformers' {@code output_attentions}. */
class AttentionTest {
  private static final Path FOLDERS = Path.of("src/test/resources/golden");

  @ParameterizedTest
  @CsvSource({"qwen4, onnx", "qwen4, reference", "qwen5, onnx"})
  void attentionEqualsTheReference(String kind, String engine) {
    Path folder = FOLDERS.resolve(kind);
    Json about = Json.parse(folder.resolve("attention.json"));
    int[] grid = about.at("grid").ints();
    Image picture = Image.read(FOLDERS.resolve("media/wide.png"));
    AttentionRequest request;
    try (Model model = Models.model(folder.toString()).engine(engine).load();
        CheckpointWeights golden =
            CheckpointWeights.ofSafetensors(
                "attention", List.of(folder.resolve("attention.safetensors")))) {
      request = model.attention().look(picture).text(about.stringAt("text"));
      List<AttentionMap> maps = request.run();
      assertThat(maps)
          .extracting(AttentionMap::kind)
          .containsExactly(Kind.TEXT_TO_TEXT, Kind.WORD_TO_REGION, Kind.PATCH_TO_PATCH);
      close(golden, "words_", maps.get(0));
      close(golden, "regions_", maps.get(1));
      close(golden, "patches_", maps.get(2));
      assertThat(maps.get(1).to().rows()).isEqualTo(grid[0]);
      assertThat(maps.get(1).to().columns()).isEqualTo(grid[1]);
      assertThat(maps.get(0).from().names()).startsWith("<|im_start|>");
      assertThat(maps.get(2).draw(picture).width()).isEqualTo(picture.width());
    }
    assertThatThrownBy(request::run).isInstanceOf(ClosedException.class);
  }

  private static void close(CheckpointWeights golden, String name, AttentionMap map) {
    assertThat(golden.shape(name + map.layers())).isNull();
    int from = map.from().size();
    int to = map.to().size();
    for (int layer = 0; layer < map.layers(); layer++) {
      assertThat(golden.shape(name + layer)).containsExactly(map.heads(), from, to);
      FloatBuffer expected =
          golden.map(name + layer, 0, 4 * map.heads() * from * to).asFloatBuffer();
      for (int head = 0; head < map.heads(); head++) {
        for (int entry = 0; entry < from; entry++) {
          float[] row = map.row(layer, head, entry);
          for (int i = 0; i < to; i++) {
            float wanted = expected.get((head * from + entry) * to + i);
            assertThat(Math.abs(row[i] - wanted) <= 1e-4)
                .as("%s%d head %d [%d, %d]: %s, %s", name, layer, head, entry, i, row[i], wanted)
                .isTrue();
          }
        }
      }
    }
  }
}
