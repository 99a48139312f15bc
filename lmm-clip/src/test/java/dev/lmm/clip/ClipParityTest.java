package dev.lmm.clip;

import static dev.lmm.clip.Golden.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.Inspection;
import dev.lmm.Probability;
import dev.lmm.Score;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every published layout on every engine: the numbers of transformers. */
class ClipParityTest {
  private static final List<String> CHECKPOINTS =
      List.of(
          "clip-openai",
          "clip-openai-bin",
          "clip-laion",
          "clip-fp16",
          "siglip-v1",
          "siglip2",
          "siglip2-bf16",
          "siglip2-naflex");

  static Stream<Arguments> checkpointsAndEngines() {
    return CHECKPOINTS.stream()
        .flatMap(c -> Stream.of("onnx", "reference").map(e -> Arguments.of(c, e)));
  }

  static Stream<String> checkpoints() {
    return CHECKPOINTS.stream();
  }

  @ParameterizedTest
  @MethodSource("checkpointsAndEngines")
  void embeddingsAndLogitsEqualTheReference(String checkpoint, String engine) {
    try (Golden golden = new Golden(checkpoint);
        Encoder encoder = Clip.from(golden.folder).engine(engine).load()) {
      Embeddings rawImages = encoder.images(golden.images()).raw().run();
      Embeddings rawTexts = encoder.texts(golden.texts).raw().run();
      assertClose("image_raw", all(rawImages), golden.floats("image_raw"), 1e-4);
      assertClose("text_raw", all(rawTexts), golden.floats("text_raw"), 1e-4);
      assertClose("image_embeds", all(rawImages.normalized()), golden.floats("image_embeds"), 1e-5);
      assertClose("text_embeds", all(rawTexts.normalized()), golden.floats("text_embeds"), 1e-5);

      List<List<Score>> scores = encoder.rank(golden.images(), golden.texts, Probability.FAMILY);
      assertClose(
          "logits_per_image", scores(scores, true), golden.floats("logits_per_image"), 1e-3);
      assertClose("probabilities", scores(scores, false), golden.floats("probabilities"), 1e-4);
    }
  }

  @ParameterizedTest
  @MethodSource("checkpointsAndEngines")
  void aBatchEqualsItsSingles(String checkpoint, String engine) {
    try (Golden golden = new Golden(checkpoint);
        Encoder encoder = Clip.from(golden.folder).engine(engine).load()) {
      Embeddings images = encoder.images(golden.images()).run();
      Embeddings texts = encoder.texts(golden.texts).run();
      for (int i = 0; i < golden.pictures.size(); i++) {
        assertClose("image " + i, encoder.embed(golden.images().get(i)), images.vector(i), 1e-5);
      }
      for (int i = 0; i < golden.texts.size(); i++) {
        assertClose("text " + i, encoder.embed(golden.texts.get(i)), texts.vector(i), 1e-5);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("checkpoints")
  void tokensEqualTheReference(String checkpoint) {
    try (Golden golden = new Golden(checkpoint);
        Encoder encoder = Clip.from(golden.folder).load()) {
      for (int i = 0; i < golden.texts.size(); i++) {
        List<Integer> found = encoder.inspect().tokenize(golden.texts.get(i)).ids();
        List<Integer> expected = golden.ids(i); // as the model gets them: cut, or padded
        int same = Math.min(found.size(), expected.size());
        assertThat(found.subList(0, same - 1))
            .as(golden.texts.get(i))
            .isEqualTo(expected.subList(0, same - 1));
        assertThat(found.get(found.size() - 1)).as("end").isEqualTo(expected.get(same - 1));
        assertThat(new HashSet<>(expected.subList(same, expected.size())))
            .as("padding")
            .hasSizeLessThanOrEqualTo(1);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("checkpoints")
  void pixelsEqualTheReference(String checkpoint) {
    try (Golden golden = new Golden(checkpoint);
        Encoder encoder = Clip.from(golden.folder).load()) {
      float[] all = golden.floats("pixel_values");
      int each = all.length / golden.pictures.size();
      for (int i = 0; i < golden.pictures.size(); i++) {
        Inspection.Pixels pixels = encoder.inspect().preprocess(golden.images().get(i));
        float[] expected = Arrays.copyOfRange(all, i * each, (i + 1) * each);
        // One level of 255 is at least 0.014 here: within 1e-6, the 8-bit pixels are equal too.
        assertClose(golden.pictures.get(i).toString(), pixels.values(), expected, 1e-6);
      }
    }
  }

  private static float[] all(Embeddings embeddings) {
    float[] values = new float[embeddings.count() * embeddings.dimension()];
    FloatBuffer view = embeddings.view();
    view.get(values);
    return values;
  }

  private static float[] scores(List<List<Score>> scores, boolean logits) {
    float[] values = new float[scores.size() * scores.get(0).size()];
    int i = 0;
    for (List<Score> row : scores) {
      for (Score score : row) {
        values[i++] = (float) (logits ? score.logit() : score.probability());
      }
    }
    return values;
  }
}
