package dev.lmm.blip2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.Captioner;
import dev.lmm.CheckpointException;
import dev.lmm.ClosedException;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.Match;
import dev.lmm.Matcher;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Retrieved;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The tiny checkpoint of the first stage: the scores of transformers, and what is made of them. */
class MatcherTest {
  private static final Path FOLDER = Path.of("src/test/resources/golden/blip2-itm");
  private static final Path PICTURES = Path.of("../lmm-clip/src/test/resources/golden/pictures");
  private static final Json GOLDEN = Json.parse(FOLDER.resolve("golden.json"));
  private static final List<String> TEXTS =
      GOLDEN.at("texts").elements().stream().map(Json::string).toList();
  private static final List<Image> IMAGES =
      GOLDEN.at("pictures").elements().stream()
          .map(name -> Image.read(PICTURES.resolve(name.string())))
          .toList();

  @TempDir Path folder;

  /**
   * Batches of one, of several with padding, of all: what a text says does not depend on others.
   */
  @ParameterizedTest
  @CsvSource({"onnx,1", "onnx,3", "onnx,16", "reference,4"})
  void scoresEqualTheReference(String engine, int batch) {
    float[] itm = golden("itm");
    float[] itc = golden("itc");
    try (Matcher matcher = Blip2.matcher(FOLDER).engine(engine).load()) {
      List<List<Match>> found = matcher.match(IMAGES, TEXTS).batchSize(batch).run();
      assertThat(found).hasSize(IMAGES.size());
      for (int i = 0; i < found.size(); i++) {
        assertThat(found.get(i)).hasSize(TEXTS.size());
        for (int t = 0; t < TEXTS.size(); t++) {
          Match match = found.get(i).get(t);
          int at = i * TEXTS.size() + t;
          assertThat(match.text()).isEqualTo(TEXTS.get(t));
          assertThat(match.probability()).isCloseTo(itm[at], within(1e-4));
          assertThat(match.similarity()).isCloseTo(itc[at], within(1e-4));
        }
      }
    }
  }

  @Test
  void idsEqualTheReference() {
    try (Matcher matcher = Blip2.matcher(FOLDER).load()) {
      List<Json> ids = GOLDEN.at("ids").elements();
      for (int t = 0; t < TEXTS.size(); t++) {
        assertThat(matcher.inspect().tokenize(TEXTS.get(t)).ids())
            .isEqualTo(Arrays.stream(ids.get(t).ints()).boxed().toList());
      }
    }
  }

  @Test
  void picturesAreFoundByTheirText() {
    try (Matcher matcher = Blip2.matcher(FOLDER).load()) {
      for (int t = 0; t < TEXTS.size(); t++) {
        for (int again = 0; again <= 4; again++) {
          double[] itm = new double[IMAGES.size()];
          double[] itc = new double[IMAGES.size()];
          for (int i = 0; i < IMAGES.size(); i++) {
            itm[i] = golden("itm")[i * TEXTS.size() + t];
            itc[i] = golden("itc")[i * TEXTS.size() + t];
          }
          ordered(matcher.retrieve(TEXTS.get(t), IMAGES).rerank(again).run(), itm, itc, again);
        }
      }
    }
  }

  @Test
  void textsAreFoundByTheirPicture() {
    try (Matcher matcher = Blip2.matcher(FOLDER).load()) {
      for (int i = 0; i < IMAGES.size(); i++) {
        for (int again : new int[] {0, 3, 16}) {
          int from = i * TEXTS.size();
          double[] itm = new double[TEXTS.size()];
          double[] itc = new double[TEXTS.size()];
          for (int t = 0; t < TEXTS.size(); t++) {
            itm[t] = golden("itm")[from + t];
            itc[t] = golden("itc")[from + t];
          }
          List<Retrieved> found =
              matcher.retrieve(IMAGES.get(i), TEXTS).rerank(again).batchSize(2).run();
          ordered(found, itm, itc, again);
        }
      }
    }
  }

  /** Similarity chooses who is looked at again; their probability orders them. */
  private static void ordered(List<Retrieved> found, double[] itm, double[] itc, int again) {
    int count = Math.min(again, itm.length);
    List<Integer> order =
        IntStream.range(0, itm.length)
            .boxed()
            .sorted(Comparator.comparing((Integer i) -> -itc[i]))
            .toList();
    List<Integer> expected =
        new ArrayList<>(
            order.subList(0, count).stream()
                .sorted(Comparator.comparing((Integer i) -> -itm[i]))
                .toList());
    expected.addAll(order.subList(count, order.size()));
    assertThat(found).extracting(Retrieved::index).isEqualTo(expected);
    for (int k = 0; k < found.size(); k++) {
      Retrieved one = found.get(k);
      assertThat(one.similarity()).isCloseTo(itc[one.index()], within(1e-4));
      if (k < count) {
        assertThat(one.probability()).isCloseTo(itm[one.index()], within(1e-4));
      } else {
        assertThat(one.probability()).isNull();
      }
    }
  }

  @Test
  void progressCountsWhatIsLookedAt() {
    List<String> heard = new ArrayList<>();
    try (Matcher matcher = Blip2.matcher(FOLDER).load()) {
      matcher
          .match(IMAGES, TEXTS.subList(0, 1))
          .onProgress((done, all) -> heard.add(done + "/" + all))
          .run();
      assertThat(heard).containsExactly("1/3", "2/3", "3/3");
      heard.clear();
      matcher
          .retrieve(TEXTS.get(0), IMAGES)
          .rerank(1)
          .onProgress((done, all) -> heard.add(done + "/" + all))
          .run();
      assertThat(heard).containsExactly("1/4", "2/4", "3/4", "4/4");
    }
  }

  @Test
  void nothingIsComparedWithNothing() {
    try (Matcher matcher = Blip2.matcher(FOLDER).load()) {
      assertThat(matcher.match(List.of(), TEXTS).run()).isEmpty();
      assertThat(matcher.match(IMAGES, List.of()).run()).hasSize(3).allMatch(List::isEmpty);
      assertThat(matcher.retrieve("a", List.of()).run()).isEmpty();
      assertThat(matcher.retrieve(IMAGES.get(0), List.of()).run()).isEmpty();
    }
  }

  @Test
  void badRequestsAreNamed() {
    try (Matcher matcher = Blip2.matcher(FOLDER).load()) {
      Image image = IMAGES.get(0);
      refused(
          () -> matcher.match(image, "the ".repeat(79)),
          "texts[0]: makes 81 tokens; the model reads at most 80");
      refused(
          () -> matcher.match(image, "an <image> of"), "holds the token <image>, which the model");
      refused(() -> matcher.match(IMAGES, TEXTS).batchSize(0), "batchSize: is 0");
      refused(() -> matcher.retrieve("a", IMAGES).rerank(-1), "rerank: is -1");
      assertThat(matcher.match(Image.ofRgb(1, 1, new byte[3]), "").probability())
          .isBetween(0.0, 1.0);
    }
  }

  private static void refused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String why) {
    assertThatThrownBy(call).isInstanceOf(InvalidRequestException.class).hasMessageContaining(why);
  }

  @Test
  void runsAreStoppedAndModelsClosed() {
    Cancellation stop = new Cancellation();
    Matcher matcher = Blip2.matcher(FOLDER).load();
    // Stopped by the listener, after the first picture.
    List<Long> heard = new ArrayList<>();
    assertThatThrownBy(
            () ->
                matcher
                    .match(IMAGES, TEXTS)
                    .cancelledBy(stop)
                    .onProgress(
                        (done, all) -> {
                          heard.add(done);
                          stop.cancel();
                        })
                    .run())
        .isInstanceOf(CancelledException.class);
    assertThat(heard).containsExactly(1L);
    matcher.close();
    matcher.close();
    assertThatThrownBy(() -> matcher.match(IMAGES, TEXTS)).isInstanceOf(ClosedException.class);
  }

  @Test
  void rolesBelongToStages() {
    try (Model model = Models.load(FOLDER.toString())) {
      assertThatThrownBy(model::captioner)
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("it has no captioner");
      assertThat(model.summary().parts()).extracting("name").contains("vision", "qformer");
      assertThat(model.summary().parts())
          .allMatch(part -> part.frozen() == part.name().equals("vision"));
      assertThat(model.summary().trained()).isPositive().isLessThan(model.summary().parameters());
      model.matcher().close();
      assertThat(model.matcher().match(IMAGES.get(0), "a").similarity()).isBetween(-1.0, 1.0);
    }
    try (Captioner captioner = Blip2.from("src/test/resources/golden/blip2-opt").load()) {
      assertThat(captioner.info().modelType()).isEqualTo("blip-2");
    }
    assertThatThrownBy(() -> Blip2.matcher("src/test/resources/golden/blip2-opt").load())
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("it has no matcher");
  }

  /** Published before image tokens were: the same scores. */
  @Test
  void anOlderConfigReadsTheSame() throws IOException {
    copy();
    edit("config.json", "\"image_token_index\": " + GOLDEN_IMAGE + ",", "");
    edit("config.json", "\"text_config\"", "\"unused\"");
    Files.delete(folder.resolve("processor_config.json"));
    try (Matcher matcher = Blip2.matcher(folder).load()) {
      assertThat(matcher.match(IMAGES.get(0), TEXTS.get(0)).probability())
          .isCloseTo(golden("itm")[0], within(1e-4));
    }
  }

  private static final int GOLDEN_IMAGE =
      Json.parse(FOLDER.resolve("config.json")).intAt("image_token_index");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"image_text_hidden_size\": 20|\"image_text_hidden_size\": 21|vision_projection",
        "\"max_position_embeddings\": 80|\"max_position_embeddings\": 81|position_embeddings",
        "\"num_query_tokens\": 5|\"num_query_tokens\": 6|query_tokens",
        "\"num_hidden_layers\": 4|\"num_hidden_layers\": 3|qformer.encoder.layer.3",
      })
  void contradictionsAreNamed(String edit) throws IOException {
    copy();
    String[] parts = edit.split("\\|", -1);
    edit("config.json", parts[0], parts[1]);
    assertThatThrownBy(() -> Blip2.matcher(folder).load())
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(parts[2]);
  }

  private void copy() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
  }

  private void edit(String file, String found, String replacement) throws IOException {
    String text = Files.readString(folder.resolve(file));
    assertThat(text).contains(found);
    Files.writeString(folder.resolve(file), text.replace(found, replacement));
  }

  private static float[] golden(String name) {
    try (CheckpointWeights golden =
        CheckpointWeights.ofSafetensors("golden", List.of(FOLDER.resolve("golden.safetensors")))) {
      ByteBuffer bytes = golden.map(name, 0, (int) golden.locate(name).length());
      float[] values = new float[bytes.remaining() / 4];
      bytes.asFloatBuffer().get(values);
      return values;
    }
  }
}
