package dev.lmm.blip2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.ClosedException;
import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Score;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What queries saw, as embeddings: the tensors of transformers in both stages. */
class QueryEncoderTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden");
  private static final Path PICTURES = Path.of("../lmm-clip/src/test/resources/golden/pictures");

  private static List<Image> images(String folder) {
    return Json.parse(GOLDEN.resolve(folder).resolve("golden.json"))
        .at("pictures")
        .elements()
        .stream()
        .map(name -> Image.read(PICTURES.resolve(name.string())))
        .toList();
  }

  private static Encoder load(String folder, String engine) {
    return Models.encoder(GOLDEN.resolve(folder)).engine(engine).load();
  }

  @ParameterizedTest
  @ValueSource(strings = {"onnx", "reference"})
  void theFirstStageEmbedsPicturesAndTexts(String engine) {
    Json golden = Json.parse(GOLDEN.resolve("blip2-itm/golden.json"));
    List<String> texts = golden.at("texts").elements().stream().map(Json::string).toList();
    float[] seen = golden("blip2-itm", "image_embeds"); // [3, 5, 20]
    float[] read = golden("blip2-itm", "text_embeds"); // [7, 20]
    try (Encoder encoder = load("blip2-itm", engine)) {
      assertThat(encoder.dimension()).isEqualTo(5 * 20);
      same(encoder.images(images("blip2-itm")).raw().run(), seen, 3);
      Embeddings found = encoder.texts(texts).raw().batchSize(3).run();
      assertThat(found.count()).isEqualTo(texts.size());
      for (int t = 0; t < found.count(); t++) {
        float[] vector = found.vector(t);
        for (int i = 0; i < vector.length; i++) {
          assertThat(vector[i]).isCloseTo(read[t * 20 + i % 20], within(1e-4f));
        }
      }
      // The cosine of picture and text is the mean over the queries.
      List<Score> scores = encoder.rank(images("blip2-itm").get(1), texts);
      for (int t = 0; t < texts.size(); t++) {
        double mean = 0;
        for (int i = 0; i < 5 * 20; i++) {
          mean += seen[5 * 20 + i] * read[t * 20 + i % 20] / 5;
        }
        assertThat(scores.get(t).similarity()).isCloseTo(mean, within(1e-4));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"onnx", "reference"})
  void theSecondStageEmbedsPictures(String engine) {
    List<Image> images = images("blip2-opt");
    try (Encoder encoder = load("blip2-opt", engine)) {
      assertThat(encoder.dimension()).isEqualTo(6 * 24);
      same(encoder.images(images).raw().run(), golden("blip2-opt", "query_output"), 3);
      assertThatThrownBy(() -> encoder.embed("a text"))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("embeds pictures only");
    }
  }

  private static void same(Embeddings found, float[] expected, int count) {
    assertThat(found.count()).isEqualTo(count);
    int each = expected.length / count;
    for (int i = 0; i < count; i++) {
      float[] vector = found.vector(i);
      assertThat(vector).hasSize(each);
      for (int k = 0; k < each; k++) {
        assertThat(vector[k]).isCloseTo(expected[i * each + k], within(1e-4f));
      }
    }
  }

  @Test
  void embeddingsHaveLengthOneAndEndWithTheModel() {
    Image image = images("blip2-itm").get(0);
    Encoder encoder = load("blip2-itm", "onnx");
    double squares = 0;
    for (float value : encoder.embed(image)) {
      squares += value * value;
    }
    assertThat(squares).isCloseTo(1, within(1e-5));
    encoder.close();
    assertThatThrownBy(() -> encoder.embed(image)).isInstanceOf(ClosedException.class);
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
