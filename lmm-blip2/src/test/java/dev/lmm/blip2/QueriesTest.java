package dev.lmm.blip2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.ClosedException;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Queries;
import dev.lmm.QueriesRequest;
import dev.lmm.QueryMaps;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where queries look: the attention of transformers, in both stages, and the pictures of it. */
class QueriesTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden");
  private static final Path PICTURES = Path.of("../lmm-clip/src/test/resources/golden/pictures");
  private static final int PATCHES = 9;
  private static final int ROWS = 1 + PATCHES;

  private static Image picture(Json golden, int index) {
    return Image.read(PICTURES.resolve(golden.at("pictures").elements().get(index).string()));
  }

  private static Model load(String folder, String engine) {
    return Models.model(GOLDEN.resolve(folder).toString()).engine(engine).load();
  }

  @ParameterizedTest
  @ValueSource(strings = {"onnx", "reference"})
  void attentionEqualsTheReference(String engine) {
    for (String folder : List.of("blip2-opt", "blip2-itm")) {
      Json golden = Json.parse(GOLDEN.resolve(folder).resolve("golden.json"));
      float[] cross = golden(folder, "cross_alone");
      float[] rollout = golden(folder, "rollout_alone");
      try (Model model = load(folder, engine)) {
        for (int i = 0; i < 3; i++) {
          QueryMaps maps = model.queries().look(picture(golden, i)).run();
          assertThat(maps.layers()).containsExactly(0, 2);
          same(maps, part(cross, i, 3), part(rollout, i, 3));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"onnx", "reference"})
  void attentionBesideATextEqualsTheReference(String engine) {
    Json golden = Json.parse(GOLDEN.resolve("blip2-itm/golden.json"));
    List<Json> looked = golden.at("looked").elements();
    try (Model model = load("blip2-itm", engine)) {
      Queries queries = model.queries();
      for (int n = 0; n < looked.size(); n++) {
        int[] pair = looked.get(n).ints();
        String text = golden.at("texts").elements().get(pair[1]).string();
        QueryMaps maps = queries.look(picture(golden, pair[0])).text(text).run();
        same(maps, golden("blip2-itm", "cross_" + n), golden("blip2-itm", "rollout_" + n));
      }
    }
  }

  /** Every number of every layer and head, and what is made of them. */
  private static void same(QueryMaps maps, float[] cross, float[] rollout) {
    int queries = maps.queries();
    int heads = maps.heads();
    assertThat(maps.rows() * maps.columns()).isEqualTo(PATCHES);
    assertThat(cross).hasSize(maps.layers().size() * heads * queries * ROWS);
    assertThat(rollout).hasSize(queries * ROWS);
    for (int query = 0; query < queries; query++) {
      double[] mean = new double[ROWS];
      for (int layer = 0; layer < maps.layers().size(); layer++) {
        double[] layerMean = new double[ROWS];
        for (int head = 0; head < heads; head++) {
          int from = ((layer * heads + head) * queries + query) * ROWS;
          double[] row = new double[ROWS];
          for (int i = 0; i < ROWS; i++) {
            row[i] = cross[from + i];
            layerMean[i] += row[i] / heads;
            mean[i] += row[i] / heads / maps.layers().size();
          }
          close(maps.map(query, maps.layers().get(layer), head), row);
        }
        close(maps.mean(query, maps.layers().get(layer)), layerMean);
      }
      close(maps.mean(query), mean);
      assertThat(maps.elsewhere(query)).isCloseTo(mean[0], within(1e-4));
      double[] flow = new double[ROWS];
      for (int i = 0; i < ROWS; i++) {
        flow[i] = rollout[query * ROWS + i];
      }
      close(maps.rollout(query), flow);
    }
  }

  private static void close(float[] map, double[] row) {
    assertThat(map).hasSize(PATCHES);
    for (int i = 0; i < PATCHES; i++) {
      assertThat((double) map[i]).isCloseTo(row[1 + i], within(1e-4));
    }
  }

  @Test
  void allQueriesStandOnOneSheet() {
    Json golden = Json.parse(GOLDEN.resolve("blip2-opt/golden.json"));
    Image picture = picture(golden, 0); // 144 x 108
    try (Model model = load("blip2-opt", "onnx")) {
      QueryMaps maps = model.queries().look(picture).run();
      Image sheet = maps.sheet(picture);
      assertThat(sheet.width()).isEqualTo(6 * 160);
      assertThat(sheet.height()).isEqualTo(120);
      assertThat(sheet.rgb()).isNotEqualTo(maps.sheet(picture(golden, 1)).rgb());
      Image drawn = maps.draw(picture, maps.mean(2));
      assertThat(drawn.width()).isEqualTo(144);
      assertThat(drawn.height()).isEqualTo(108);
      assertThat(drawn.rgb()).isNotEqualTo(picture.rgb());
    }
  }

  /** What is bright lies where the map says: the numbers are laid over the picture row by row. */
  @Test
  void sheetsShowTilesInOrder() {
    int queries = 10; // a row of eight, and two
    float[] rows = new float[queries * 5];
    for (int query = 0; query < queries; query++) {
      rows[query * 5 + 1 + query % 4] = 1; // one of the corners of 2 x 2
    }
    QueryMaps maps = new QueryMaps(2, 2, queries, 1, List.of(0), rows, rows);
    Image black = Image.ofRgb(320, 320, new byte[320 * 320 * 3]);
    Image sheet = maps.sheet(black);
    assertThat(sheet.width()).isEqualTo(8 * 160);
    assertThat(sheet.height()).isEqualTo(2 * 160);
    for (int query = 0; query < queries; query++) {
      int corner = query % 4;
      for (int other = 0; other < 4; other++) {
        int x = query % 8 * 160 + (other % 2 == 0 ? 30 : 130);
        int y = query / 8 * 160 + (other < 2 ? 40 : 130);
        int red = sheet.rgb()[(y * sheet.width() + x) * 3] & 0xFF;
        assertThat(red > 60)
            .as("query %d, corner %d: red %d", query, other, red)
            .isEqualTo(other == corner);
      }
    }
    // Nothing behind the last.
    assertThat(sheet.rgb()[(250 * sheet.width() + 2 * 160 + 80) * 3]).isZero();
  }

  @Test
  void badRequestsAreNamed() {
    Json golden = Json.parse(GOLDEN.resolve("blip2-opt/golden.json"));
    Image picture = picture(golden, 2);
    try (Model model = load("blip2-opt", "onnx")) {
      QueriesRequest request = model.queries().look(picture);
      refused(() -> request.text("a").run(), "expected a model of the first stage");
      QueryMaps maps = request.run();
      refused(() -> maps.mean(6), "query: is 6; expected 0 to 5");
      refused(() -> maps.map(0, 1, 0), "layer: is 1; expected one of [0, 2]");
      refused(() -> maps.map(0, 0, 3), "head: is 3; expected 0 to 2");
    }
    try (Model model = load("blip2-itm", "onnx")) {
      refused(
          () -> model.queries().look(picture).text("the ".repeat(79)).run(),
          "makes 81 tokens; the model reads at most 80");
    }
  }

  private static void refused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String why) {
    assertThatThrownBy(call).isInstanceOf(InvalidRequestException.class).hasMessageContaining(why);
  }

  @Test
  void runsAreStoppedAndModelsClosed() {
    Json golden = Json.parse(GOLDEN.resolve("blip2-opt/golden.json"));
    Cancellation stop = new Cancellation();
    stop.cancel();
    Model model = load("blip2-opt", "onnx");
    Queries queries = model.queries();
    QueriesRequest request = queries.look(picture(golden, 0));
    assertThatThrownBy(() -> request.cancelledBy(stop).run())
        .isInstanceOf(CancelledException.class);
    request.run();
    model.close();
    assertThatThrownBy(request::run).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> queries.look(picture(golden, 0))).isInstanceOf(ClosedException.class);
  }

  private static float[] part(float[] all, int index, int count) {
    int each = all.length / count;
    return Arrays.copyOfRange(all, index * each, (index + 1) * each);
  }

  private static float[] golden(String folder, String name) {
    Path file = GOLDEN.resolve(folder).resolve("golden.safetensors");
    try (CheckpointWeights golden = CheckpointWeights.ofSafetensors("golden", List.of(file))) {
      ByteBuffer bytes = golden.map(name, 0, (int) golden.locate(name).length());
      float[] values = new float[bytes.remaining() / 4];
      bytes.asFloatBuffer().get(values);
      return values;
    }
  }
}
