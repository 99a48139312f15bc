package dev.lmm.blip2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.AttentionMap;
import dev.lmm.AttentionMap.Kind;
import dev.lmm.AttentionRequest;
import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.ClosedException;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What words, queries and patches attend to: transformers' {@code output_attentions}. */
class AttentionTest {
  private static final Path FOLDERS = Path.of("src/test/resources/golden");
  private static final Path PICTURES = Path.of("../lmm-clip/src/test/resources/golden/pictures");

  private static Image picture() {
    return Image.read(PICTURES.resolve("flower-144x108.png"));
  }

  @ParameterizedTest
  @CsvSource({"blip2-opt, onnx", "blip2-opt, reference", "blip2-t5, onnx", "blip2-t5, reference"})
  void attentionEqualsTheReference(String kind, String engine) {
    Path folder = FOLDERS.resolve(kind);
    Json about = Json.parse(folder.resolve("attention.json"));
    try (Model model = Models.model(folder.toString()).engine(engine).load();
        CheckpointWeights golden =
            CheckpointWeights.ofSafetensors(
                "attention", List.of(folder.resolve("attention.safetensors")))) {
      List<AttentionMap> maps =
          model.attention().look(picture()).text(about.stringAt("text")).run();
      assertThat(maps)
          .extracting(AttentionMap::kind)
          .containsExactly(
              Kind.TEXT_TO_TEXT,
              Kind.WORD_TO_QUERY,
              Kind.WORD_TO_REGION,
              Kind.QUERY_TO_REGION,
              Kind.PATCH_TO_PATCH);
      close(golden, "words_", maps.get(0));
      close(golden, "queries_", maps.get(1));
      close(golden, "regions_", maps.get(2));
      close(golden, "cross_", maps.get(3));
      close(golden, "vision_", maps.get(4));
      assertThat(maps.get(2).from().names().get(0))
          .isEqualTo(kind.equals("blip2-t5") ? "<pad>" : "</s>");
      assertThat(maps.get(1).to().names()).startsWith("query 0").endsWith("query 5");
      assertThat(maps.get(2).to().rows()).isEqualTo(3);
      Image drawn = maps.get(2).draw(picture(), 0);
      assertThat(drawn.width()).isEqualTo(160 * Math.min(8, maps.get(2).from().size()));
    }
  }

  /** The first stage: a picture matched with a text, and alone. */
  @ParameterizedTest
  @ValueSource(strings = {"onnx", "reference"})
  void attentionOfTheFirstStageEqualsTheReference(String engine) {
    Path folder = FOLDERS.resolve("blip2-itm");
    String text = Json.parse(folder.resolve("attention.json")).stringAt("text");
    try (Model model = Models.model(folder.toString()).engine(engine).load();
        CheckpointWeights golden =
            CheckpointWeights.ofSafetensors(
                "attention", List.of(folder.resolve("attention.safetensors")))) {
      List<AttentionMap> maps = model.attention().look(picture()).text(text).run();
      assertThat(maps)
          .extracting(AttentionMap::kind)
          .containsExactly(
              Kind.TEXT_TO_TEXT,
              Kind.WORD_TO_QUERY,
              Kind.WORD_TO_REGION,
              Kind.QUERY_TO_REGION,
              Kind.PATCH_TO_PATCH);
      close(golden, "words_", maps.get(0));
      close(golden, "queries_", maps.get(1));
      close(golden, "regions_", maps.get(2));
      close(golden, "cross_", maps.get(3));
      close(golden, "vision_", maps.get(4));
      assertThat(maps.get(0).from().names())
          .startsWith("[CLS]", "a", "man")
          .endsWith("[SEP]")
          .isEqualTo(model.inspect().tokenize(text).tokens());
      List<AttentionMap> alone = model.attention().look(picture()).run();
      assertThat(alone)
          .extracting(AttentionMap::kind)
          .containsExactly(Kind.QUERY_TO_REGION, Kind.PATCH_TO_PATCH);
      close(golden, "alone_", alone.get(0));
      close(golden, "vision_", alone.get(1));
      assertThat(alone.get(0).draw(picture()).width()).isEqualTo(5 * 160);
    }
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

  /** Without a text, what the model itself would write. */
  @ParameterizedTest
  @CsvSource({"blip2-opt", "blip2-t5"})
  void withoutATextTheModelWritesOne(String kind) {
    try (Model model = Models.load(FOLDERS.resolve(kind).toString())) {
      int written = model.captioner().caption(picture()).run().tokens().size();
      List<AttentionMap> maps = model.attention().look(picture()).run();
      assertThat(maps.get(0).from().size()).isEqualTo(1 + written);
    }
  }

  @Test
  void badRequestsAreNamed() {
    Model model = Models.load(FOLDERS.resolve("blip2-opt").toString());
    AttentionRequest request = model.attention().look(picture());
    assertThatThrownBy(() -> request.text("x".repeat(500)).run())
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("context holds 96");
    model.close();
    assertThatThrownBy(request::run).isInstanceOf(ClosedException.class);
    Model first = Models.load(FOLDERS.resolve("blip2-itm").toString());
    AttentionRequest matched = first.attention().look(picture());
    assertThatThrownBy(() -> matched.text("the ".repeat(79)).run())
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("makes 81 tokens; the model reads at most 80");
    Cancellation stop = new Cancellation();
    stop.cancel();
    assertThatThrownBy(() -> matched.cancelledBy(stop).run())
        .isInstanceOf(CancelledException.class);
    first.close();
    assertThatThrownBy(matched::run).isInstanceOf(ClosedException.class);
  }
}
