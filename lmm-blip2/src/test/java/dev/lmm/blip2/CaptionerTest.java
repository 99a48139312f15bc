package dev.lmm.blip2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.Caption;
import dev.lmm.CaptionRequest;
import dev.lmm.Captioner;
import dev.lmm.CaptionsRequest;
import dev.lmm.ClosedException;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Summary;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The tiny checkpoints on every engine: the answers of transformers. */
class CaptionerTest {
  private static final Path FOLDERS = Path.of("src/test/resources/golden");
  private static final Path FOLDER = FOLDERS.resolve("blip2-opt");
  private static final Path PICTURES = Path.of("../lmm-clip/src/test/resources/golden/pictures");
  private static final int NEW = 12;

  private static Json golden(String kind) {
    return Json.parse(FOLDERS.resolve(kind).resolve("golden.json"));
  }

  private static List<Json> cases(String kind) {
    return golden(kind).at("cases").elements();
  }

  private static Image picture(int index) {
    String name = golden("blip2-opt").at("pictures").elements().get(index).string();
    return Image.read(PICTURES.resolve(name));
  }

  private static CaptionRequest request(Captioner captioner, Json golden) {
    CaptionRequest request = captioner.caption(picture(golden.intAt("picture"))).maxTokens(NEW);
    return golden.hasValue("prompt") ? request.prompt(golden.stringAt("prompt")) : request;
  }

  @ParameterizedTest
  @CsvSource({"blip2-opt, onnx", "blip2-opt, reference", "blip2-t5, onnx", "blip2-t5, reference"})
  void greedyEqualsTheReference(String kind, String engine) {
    try (Captioner captioner = Blip2.from(FOLDERS.resolve(kind)).engine(engine).load()) {
      List<Json> cases = cases(kind);
      assertThat(cases).hasSize(12);
      int ended = 0;
      for (Json golden : cases) {
        Caption found = request(captioner, golden).run();
        assertThat(found.tokens()).isEqualTo(ints(golden.at("greedy")));
        double[] expected = golden.at("logprobs").doubles();
        for (int i = 0; i < expected.length; i++) {
          assertThat(found.logProbabilities().get(i)).isCloseTo(expected[i], within(1e-3));
        }
        assertThat(found.text()).isEqualTo(golden.stringAt("text"));
        assertThat(found.complete()).isEqualTo(expected.length < NEW);
        ended += found.complete() ? 1 : 0;
      }
      assertThat(ended).isBetween(3, 9); // both kinds of end are among them
    }
  }

  @ParameterizedTest
  @CsvSource({"blip2-opt, onnx", "blip2-opt, reference", "blip2-t5, onnx", "blip2-t5, reference"})
  void beamsEqualTheReference(String kind, String engine) {
    try (Captioner captioner = Blip2.from(FOLDERS.resolve(kind)).engine(engine).load()) {
      for (Json golden : cases(kind)) {
        List<Caption> found = request(captioner, golden).beams(5).best(3).runAll();
        List<Json> expected = golden.at("beams").elements();
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < found.size(); i++) {
          assertThat(found.get(i).tokens()).isEqualTo(ints(expected.get(i).at("tokens")));
          assertThat(found.get(i).text()).isEqualTo(expected.get(i).stringAt("text"));
          assertThat(found.get(i).score())
              .isCloseTo(expected.get(i).doubleAt("score"), within(1e-4));
        }
      }
    }
  }

  /** Penalties, least lengths; early stopping is the checkpoint's to say. */
  @ParameterizedTest
  @ValueSource(strings = {"blip2-opt", "blip2-t5"})
  void optionsChangeAnswersAsInTheReference(String kind, @TempDir Path copy) throws IOException {
    Path folder = FOLDERS.resolve(kind);
    List<Path> files;
    try (Stream<Path> listed = Files.list(folder)) {
      files = listed.filter(file -> !file.getFileName().toString().contains("golden")).toList();
    }
    for (Path file : files) {
      Files.copy(file, copy.resolve(file.getFileName()));
    }
    Path generation = copy.resolve("generation_config.json");
    Files.writeString(
        generation, Files.readString(generation).replaceFirst("\\{", "{\"early_stopping\": true,"));
    try (Captioner usual = Blip2.from(folder).load();
        Captioner early = Blip2.from(copy).load()) {
      List<Json> cases = Json.parse(folder.resolve("options.json")).at("cases").elements();
      assertThat(cases).hasSize(6 * 12);
      for (Json golden : cases) {
        Json options = golden.at("options");
        CaptionRequest request =
            request(options.boolAt("early_stopping", false) ? early : usual, golden)
                .beams(options.intAt("num_beams", 1))
                .minTokens(options.intAt("min_new_tokens", 0))
                .repetitionPenalty(options.doubleAt("repetition_penalty", 1))
                .lengthPenalty(options.doubleAt("length_penalty", 1));
        assertThat(request.run().tokens()).as("%s", options).isEqualTo(ints(golden.at("tokens")));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"blip2-opt", "blip2-t5"})
  void pixelsAndTokensEqualTheReference(String kind) {
    try (Captioner captioner = Blip2.from(FOLDERS.resolve(kind)).load();
        CheckpointWeights golden = tensors(kind)) {
      float[] all = floats(golden, "pixel_values");
      int each = all.length / 3;
      for (int i = 0; i < 3; i++) {
        float[] expected = Arrays.copyOfRange(all, i * each, (i + 1) * each);
        float[] found = captioner.inspect().preprocess(picture(i)).values();
        assertThat(found).hasSameSizeAs(expected);
        for (int k = 0; k < found.length; k++) {
          assertThat(Math.abs(found[k] - expected[k]) <= 1e-6).isTrue();
        }
      }
      for (Json each2 : cases(kind)) {
        List<Integer> ids = ints(each2.at("ids"));
        String prompt = each2.hasValue("prompt") ? each2.stringAt("prompt") : "";
        assertThat(captioner.inspect().tokenize(prompt).ids())
            .isEqualTo(ids.subList(6, ids.size()));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"blip2-opt", "blip2-t5"})
  void streamsJoinToTheCaption(String kind) {
    try (Captioner captioner = Blip2.from(FOLDERS.resolve(kind)).load()) {
      for (Json golden : cases(kind)) {
        StringBuilder joined = new StringBuilder();
        Caption found = request(captioner, golden).stream(joined::append);
        assertThat(joined.toString().strip()).isEqualTo(found.text());
        assertThat(found.tokens()).isEqualTo(ints(golden.at("greedy")));
      }
    }
  }

  /** Side by side, prompts and answers of other lengths beside them: the same as alone. */
  @ParameterizedTest
  @CsvSource({"blip2-opt, 1", "blip2-opt, 2", "blip2-opt, 8", "blip2-t5, 1", "blip2-t5, 3"})
  void captionsOfSeveralPicturesEqualThoseOfEach(String kind, int batch) {
    try (Captioner captioner = Blip2.from(FOLDERS.resolve(kind)).load()) {
      List<Image> images = List.of(picture(0), picture(1), picture(2), picture(0));
      for (int form = 0; form < 4; form++) {
        Json first = cases(kind).get(form);
        String prompt = first.hasValue("prompt") ? first.stringAt("prompt") : "";
        CaptionsRequest request =
            captioner
                .captions(images)
                .batchSize(batch)
                .each(each -> each.prompt(prompt).maxTokens(NEW));
        List<Caption> greedy = request.run();
        List<Caption> beams = request.each(each -> each.beams(5)).run();
        List<Caption> drawn = request.each(each -> each.sample(0.9, 1, 7)).run();
        assertThat(greedy).hasSize(4);
        for (int i = 0; i < 4; i++) {
          Json golden = cases(kind).get(i % 3 * 4 + form);
          assertThat(greedy.get(i).tokens()).isEqualTo(ints(golden.at("greedy")));
          assertThat(greedy.get(i).text()).isEqualTo(golden.stringAt("text"));
          assertThat(beams.get(i).tokens())
              .isEqualTo(ints(golden.at("beams").elements().get(0).at("tokens")));
          CaptionRequest alone = captioner.caption(images.get(i)).prompt(prompt).maxTokens(NEW);
          assertThat(drawn.get(i).tokens()).isEqualTo(alone.sample(0.9, 1, 7 + i).run().tokens());
        }
      }
    }
  }

  @Test
  void askUsesTheFormOfTheFamily() {
    try (Captioner captioner = Blip2.from(FOLDER).load()) {
      Caption asked = captioner.ask(picture(1), " what is in the picture? ").maxTokens(NEW).run();
      Json golden =
          cases("blip2-opt").stream()
              .filter(c -> c.intAt("picture") == 1 && c.hasValue("prompt"))
              .filter(c -> c.stringAt("prompt").startsWith("Question"))
              .findFirst()
              .orElseThrow();
      assertThat(asked.tokens()).isEqualTo(ints(golden.at("greedy")));
    }
  }

  @Test
  void drawsAreRepeatable() {
    try (Captioner captioner = Blip2.from(FOLDER).load()) {
      CaptionRequest request = captioner.caption(picture(0)).maxTokens(NEW);
      assertThat(request.sample(0.95, 1, 3).run()).isEqualTo(request.sample(0.95, 1, 3).run());
      assertThat(request.sample(0.95, 1, 3).run()).isNotEqualTo(request.sample(0.95, 1, 4).run());
    }
  }

  @Test
  void badRequestsAreNamed() {
    try (Captioner captioner = Blip2.from(FOLDER).load()) {
      Image image = picture(0);
      CaptionRequest request = captioner.caption(image);
      refused(() -> captioner.ask(image, " "), "question: is blank");
      refused(() -> request.beams(0), "beams: is 0; expected 1 to 64");
      refused(() -> request.maxTokens(0), "maxTokens: is 0");
      refused(
          () -> request.best(2).runAll(), "best: is 2; expected at most the number of beams, 1");
      refused(() -> request.beams(2).stream(text -> {}), "one beam only");
      refused(() -> captioner.captions(List.of(image)).batchSize(0), "batchSize: is 0");
      refused(
          () -> captioner.captions(List.of(image)).each(each -> each.beams(2).best(2)).run(),
          "best: is 2; several pictures get one text each");
      refused(() -> captioner.captions(List.of(image)).each().run(), "only sets options");
      assertThat(captioner.captions(List.of()).run()).isEmpty();
      refused(() -> request.prompt("a <image> of").run(), "prompt: holds <image>");
      refused(() -> request.prompt("x".repeat(10_000)).run(), "context holds 96 together");
      assertThat(captioner.caption(Image.ofRgb(1, 1, new byte[3])).run().tokens()).isNotEmpty();
    }
  }

  private static void refused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String why) {
    assertThatThrownBy(call).isInstanceOf(InvalidRequestException.class).hasMessageContaining(why);
  }

  @Test
  void runsAreStoppedAndModelsClosed() {
    Cancellation stop = new Cancellation();
    stop.cancel();
    Captioner captioner = Blip2.from(FOLDER).load();
    CaptionRequest request = captioner.caption(picture(0));
    assertThatThrownBy(() -> request.cancelledBy(stop).run())
        .isInstanceOf(CancelledException.class);
    captioner.close();
    captioner.close();
    assertThatThrownBy(request::run).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> captioner.caption(picture(0))).isInstanceOf(ClosedException.class);
  }

  @Test
  void badRequestsOfT5AreNamed() {
    try (Captioner captioner = Blip2.from(FOLDERS.resolve("blip2-t5")).load()) {
      CaptionRequest request = captioner.caption(picture(0));
      refused(() -> request.prompt("a <image> of").run(), "prompt: holds <image>");
      refused(() -> request.prompt("x".repeat(10_000)).run(), "context holds 2048 together");
      refused(() -> request.maxTokens(4000).run(), "context holds 2048 together");
      refused(() -> request.beams(2).stream(text -> {}), "one beam only");
      Captioner closed = captioner;
      closed.close();
      assertThatThrownBy(request::run).isInstanceOf(ClosedException.class);
    }
  }

  @Test
  void otherRolesAreRefused() {
    try (Model model = Models.load(FOLDER.toString())) {
      assertThatThrownBy(model::generator).isInstanceOf(UnsupportedModelException.class);
      assertThat(model.summary().parts()).hasSize(3);
      model.captioner().close();
      assertThat(model.captioner().caption(picture(0)).maxTokens(1).run().tokens()).hasSize(1);
    }
  }

  /** Queries, Q-Former and projection were trained; what they stand between was there before. */
  @ParameterizedTest
  @CsvSource({
    "blip2-opt, model.safetensors, vision language",
    "blip2-t5, model-00001-of-00002.safetensors model-00002-of-00002.safetensors, vision encoder"
        + " decoder"
  })
  void summariesTellWhatWasTrained(String kind, String files, String frozen) {
    List<Path> paths =
        Arrays.stream(files.split(" ", -1))
            .map(file -> FOLDERS.resolve(kind).resolve(file))
            .toList();
    long trained = 0;
    long all = 0;
    try (CheckpointWeights weights = CheckpointWeights.ofSafetensors(kind, paths);
        Model model = Models.load(FOLDERS.resolve(kind).toString())) {
      for (String name : weights.names()) {
        long size = Arrays.stream(weights.shape(name)).reduce(1, Math::multiplyExact);
        all += size;
        if (name.matches("(query_tokens|qformer|language_projection).*")) {
          trained += size;
        }
      }
      Summary summary = model.summary();
      assertThat(summary.trained()).isEqualTo(trained);
      assertThat(summary.parameters()).isEqualTo(all);
      assertThat(summary.parts())
          .filteredOn(Summary.Part::frozen)
          .extracting(Summary.Part::name)
          .containsExactly(frozen.split(" ", -1));
      assertThat(summary.toString())
          .contains(
              String.format(
                  Locale.ROOT,
                  "Trained params: %,d (%.1f %%)",
                  trained,
                  100.0 * trained / summary.parameters()),
              "vision: ",
              " parameters, frozen");
    }
  }

  private static CheckpointWeights tensors(String kind) {
    Path file = FOLDERS.resolve(kind).resolve("golden.safetensors");
    return CheckpointWeights.ofSafetensors("golden", List.of(file));
  }

  private static float[] floats(CheckpointWeights golden, String name) {
    ByteBuffer bytes = golden.map(name, 0, (int) golden.locate(name).length());
    float[] values = new float[bytes.remaining() / 4];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  private static List<Integer> ints(Json json) {
    return Arrays.stream(json.ints()).boxed().toList();
  }
}
