package dev.lmm.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Attention;
import dev.lmm.AttentionMap;
import dev.lmm.AttentionMap.Kind;
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

/** What the towers attend to: transformers' {@code output_attentions}. */
class AttentionTest {
  private static final Path FOLDERS = Path.of("src/test/resources/golden");

  private static Image picture() {
    return Image.read(FOLDERS.resolve("pictures/flower-144x108.png"));
  }

  @ParameterizedTest
  @CsvSource({
    "clip-openai, onnx",
    "clip-openai, reference",
    "clip-laion, onnx",
    "siglip2, onnx",
    "siglip2-naflex, onnx",
    "siglip2-naflex, reference"
  })
  void attentionEqualsTheReference(String kind, String engine) {
    Path folder = FOLDERS.resolve(kind);
    Json about = Json.parse(folder.resolve("attention.json"));
    int[] grid = about.at("grid").ints();
    try (Model model = Models.model(folder.toString()).engine(engine).load();
        CheckpointWeights golden =
            CheckpointWeights.ofSafetensors(
                "attention", List.of(folder.resolve("attention.safetensors")))) {
      List<AttentionMap> maps =
          model.attention().look(picture()).text(about.stringAt("text")).run();
      assertThat(maps)
          .extracting(AttentionMap::kind)
          .containsExactly(Kind.TEXT_TO_TEXT, Kind.PATCH_TO_PATCH);
      AttentionMap words = maps.get(0);
      AttentionMap patches = maps.get(1);
      close(golden, "text_", words);
      close(golden, "vision_", patches);
      assertThat(words.from().size()).isEqualTo(about.at("ids").ints().length);
      assertThat(patches.to().rows()).isEqualTo(grid[0]);
      assertThat(patches.to().columns()).isEqualTo(grid[1]);
      boolean clip = kind.startsWith("clip");
      assertThat(patches.from().first()).isEqualTo(clip ? 1 : 0);
      assertThat(patches.from().names()).startsWith(clip ? "[CLS]" : "0,0");
    }
  }

  private static void close(CheckpointWeights golden, String name, AttentionMap map) {
    assertThat(golden.shape(name + map.layers())).isNull();
    int width = map.to().size();
    for (int layer = 0; layer < map.layers(); layer++) {
      assertThat(golden.shape(name + layer)).containsExactly(map.heads(), width, width);
      int bytes = 4 * map.heads() * width * width;
      FloatBuffer expected = golden.map(name + layer, 0, bytes).asFloatBuffer();
      for (int head = 0; head < map.heads(); head++) {
        for (int entry = 0; entry < width; entry++) {
          float[] row = map.row(layer, head, entry);
          for (int i = 0; i < width; i++) {
            float wanted = expected.get((head * width + entry) * width + i);
            assertThat(Math.abs(row[i] - wanted) <= 1e-4)
                .as("%s%d head %d [%d, %d]: %s, %s", name, layer, head, entry, i, row[i], wanted)
                .isTrue();
          }
        }
      }
    }
  }

  @Test
  void meansAreThoseOfTheRows() {
    try (Model model = Models.load(FOLDERS.resolve("clip-openai").toString())) {
      AttentionMap map = model.attention().look(picture()).text("a b").run().get(0);
      double ofLayer = 0;
      double ofAll = 0;
      for (int layer = 0; layer < map.layers(); layer++) {
        for (int head = 0; head < map.heads(); head++) {
          ofLayer += layer == 1 ? map.row(layer, head, 2)[1] : 0;
          ofAll += map.row(layer, head, 2)[1];
        }
      }
      assertThat(map.mean(1, 2)[1]).isCloseTo((float) (ofLayer / map.heads()), delta());
      assertThat(map.mean(2)[1]).isCloseTo((float) (ofAll / map.heads() / map.layers()), delta());
      // Nothing looks ahead, and a row is all of it.
      assertThat(map.mean(1)[2]).isZero();
      assertThat(map.mean(0)[0]).isCloseTo(1f, delta());
    }
  }

  private static org.assertj.core.data.Offset<Float> delta() {
    return org.assertj.core.api.Assertions.within(1e-6f);
  }

  /** The picture is wider than the square that the model sees: beside it nothing is drawn. */
  @Test
  void picturesShowWhatIsSeen() {
    try (Model model = Models.load(FOLDERS.resolve("clip-openai").toString())) {
      Image photo = picture();
      List<AttentionMap> maps = model.attention().look(photo).text("a flower").run();
      Image drawn = maps.get(1).draw(photo, 0, 1);
      assertThat(drawn.width()).isEqualTo(144);
      byte[] before = photo.rgb();
      byte[] after = drawn.rgb();
      int changed = 0;
      for (int y = 0; y < 108; y++) {
        for (int x = 0; x < 144; x++) {
          boolean same = true;
          for (int c = 0; c < 3; c++) {
            same &= before[(y * 144 + x) * 3 + c] == after[(y * 144 + x) * 3 + c];
          }
          changed += same ? 0 : 1;
          if (x < 17 || x > 126) {
            assertThat(same).as("%d, %d", x, y).isTrue();
          }
        }
      }
      assertThat(changed).isGreaterThan(108 * 108 / 2);
      Image table = maps.get(0).draw(photo);
      assertThat(table.width()).isEqualTo(140 + 28 * maps.get(0).to().size());
    }
  }

  @Test
  void badRequestsAreNamed() {
    Model model = Models.load(FOLDERS.resolve("clip-openai").toString());
    Attention attention = model.attention();
    AttentionMap words = attention.look(picture()).text("a").run().get(0);
    AttentionMap patches = attention.look(picture()).run().get(0);
    assertThat(patches.kind()).isEqualTo(Kind.PATCH_TO_PATCH);
    refused(() -> words.row(9, 0, 0), "layer: is 9; expected 0 to");
    refused(() -> words.row(0, -1, 0), "head: is -1; expected 0 to");
    refused(() -> words.mean(50), "entry: is 50; expected 0 to");
    refused(() -> words.over(picture(), words.mean(0)), "words are nowhere in a picture");
    refused(() -> patches.over(picture(), new float[3]), "row: has 3 numbers");
    model.close();
    assertThatThrownBy(() -> attention.look(picture())).isInstanceOf(ClosedException.class);
  }

  private static void refused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String why) {
    assertThatThrownBy(call).isInstanceOf(InvalidRequestException.class).hasMessageContaining(why);
  }
}
