package dev.lmm.diffusion.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.GenerateRequest;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.Models;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Long prompts, weights and learned words; reference/prompt_goldens.py. */
class PromptsTest {
  private static final Path FILES = Goldens.FOLDER.resolve("prompts");
  private static final Json GOLDEN = Json.parse(FILES.resolve("golden.json"));

  @Test
  void weightsAreReadAsTheReferenceReadsThem() {
    for (Json one : GOLDEN.at("weights").elements()) {
      String prompt = one.stringAt("prompt");
      List<Json> expected = one.at("pieces").elements();
      List<WeightedText> found = WeightedText.parse(prompt);
      assertThat(found).as(prompt).hasSameSizeAs(expected);
      for (int i = 0; i < found.size(); i++) {
        Json piece = expected.get(i);
        assertThat(found.get(i).isBreak()).as(prompt).isEqualTo(!piece.hasValue("text"));
        if (piece.hasValue("text")) {
          assertThat(found.get(i).text()).as(prompt).isEqualTo(piece.stringAt("text"));
          assertThat(found.get(i).weight())
              .as(prompt)
              .isCloseTo(piece.doubleAt("weight"), org.assertj.core.data.Offset.offset(1e-12));
        }
      }
    }
    assertThatThrownBy(() -> WeightedText.parse("(a:1.2.3)"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("the weight \"1.2.3\" is no number");
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sd21", "sdxl"})
  void picturesEqualWithinOneLevel(String pipeline) {
    List<String> wrong = new ArrayList<>();
    int index = 0;
    try (CheckpointWeights golden = Goldens.open("prompts");
        Generator generator =
            Models.generator(Goldens.FOLDER.resolve(pipeline)).engine("onnx").load()) {
      for (Json one : GOLDEN.at("cases").elements()) {
        String name = "picture." + index++;
        if (one.stringAt("pipeline").equals(pipeline)) {
          int worst = Goldens.levels(picture(generator, one), golden, name);
          if (worst > 1) {
            wrong.add(name + " differs by " + worst + ": " + one.raw());
          }
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  private static Image picture(Generator generator, Json one) {
    GenerateRequest request =
        generator
            .generate(one.stringAt("prompt"))
            .steps(one.intAt("steps"))
            .guidance(one.doubleAt("guidance"))
            .seed(one.longAt("seed"))
            .size(one.intAt("width"), one.intAt("height"))
            .scheduler(one.stringAt("scheduler"))
            .longPrompts(one.boolAt("long", false))
            .promptWeights(one.boolAt("weights", false))
            .negative(one.stringAt("negative", ""));
    if (one.hasValue("words")) {
      for (Json word : one.at("words").elements()) {
        request =
            request.textualInversion(word.stringAt("word"), FILES.resolve(word.stringAt("file")));
      }
    }
    return request.run().get(0).image();
  }

  private static final PromptChunks.Marks MARKS = new PromptChunks.Marks(900, 901, 0, 5, 77);

  private static List<PromptChunks.Chunk> cut(int... ids) {
    return PromptChunks.all(List.of(new PromptChunks.Run(ids, 1, false, false)), MARKS);
  }

  @Test
  void aPromptThatIsCutIsToldOf() {
    int[] ids = IntStream.range(0, 80).map(i -> 10 + i).toArray();
    PrintStream before = System.err;
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    try (PrintStream err = new PrintStream(told, true, StandardCharsets.UTF_8)) {
      System.setErr(err);
      assertThat(
              PromptChunks.first(List.of(new PromptChunks.Run(ids, 1, false, false)), MARKS)
                  .get(0)
                  .ids())
          .endsWith(84, 901);
    } finally {
      System.setErr(before);
    }
    assertThat(told.toString(StandardCharsets.UTF_8))
        .contains("The prompt has 82 tokens; the model reads 77, the rest is left out");
  }

  @Test
  void aChunkEndsBehindALateComma() {
    int[] ids = IntStream.range(0, 90).map(i -> 10 + i).toArray();
    assertThat(cut(ids)).hasSize(2);
    assertThat(cut(ids).get(1).ids()).startsWith(900, 85, 86);
    ids[54] = 5;
    assertThat(cut(ids).get(1).ids()).as("21 tokens from the end").startsWith(900, 85);
    ids[55] = 5;
    assertThat(cut(ids).get(1).ids()).as("20 tokens from the end").startsWith(900, 66);
    assertThat(cut(ids).get(0).ids()).containsSequence(5, 5, 901, 0).hasSize(77);
    ids[74] = 5;
    assertThat(cut(ids).get(1).ids()).as("the last").startsWith(900, 85);
    ids[75] = 5;
    assertThat(cut(ids).get(1).ids()).as("the next").startsWith(900, 5, 86);
    assertThat(cut()).hasSize(1);
    assertThat(cut().get(0).ids()).startsWith(900, 901, 0);
    assertThat(cut(Arrays.copyOf(ids, 75))).hasSize(1);
  }

  @Test
  void aLearnedWordStaysInOneChunkAndABreakEndsIt() {
    int[] word = {-1, -2, -3};
    List<PromptChunks.Run> runs =
        List.of(
            new PromptChunks.Run(new int[73], 1.5, false, false),
            new PromptChunks.Run(word, 2, true, false));
    List<PromptChunks.Chunk> chunks = PromptChunks.all(runs, MARKS);
    assertThat(chunks.get(1).ids()).startsWith(900, -1, -2, -3, 901);
    assertThat(chunks.get(1).weights()).startsWith(1, 2, 2, 2, 1);
    assertThat(PromptChunks.first(runs, MARKS).get(0).ids()).endsWith(-1, -2, 901);
    PromptChunks.Run cut = new PromptChunks.Run(new int[0], 1, false, true);
    PromptChunks.Run one = new PromptChunks.Run(new int[] {7}, 1, false, false);
    assertThat(PromptChunks.all(List.of(one, cut, one, cut), MARKS)).hasSize(2);
    assertThat(PromptChunks.all(List.of(cut, one), MARKS)).hasSize(2);
  }

  @Test
  void plainPromptsAreReadAsEver() {
    try (Generator generator =
        Models.generator(Goldens.FOLDER.resolve("sd15")).engine("onnx").load()) {
      GenerateRequest request = generator.generate("a red circle, blue").steps(1);
      byte[] plain = request.run().get(0).image().rgb();
      byte[] read = request.longPrompts(true).promptWeights(true).run().get(0).image().rgb();
      assertThat(Arrays.equals(plain, read)).isTrue();
    }
  }

  @Test
  void wordsThatDoNotFitAreNamed() {
    try (Generator generator =
        Models.generator(Goldens.FOLDER.resolve("sd15")).engine("onnx").load()) {
      GenerateRequest request = generator.generate("a <cat-toy>").steps(1);
      assertThatThrownBy(() -> request.textualInversion("x", FILES.resolve("xl.safetensors")).run())
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("xl.safetensors: holds [clip_g, clip_l]; expected one tensor");
      assertThatThrownBy(
              () -> request.textualInversion("x", FILES.resolve("golden.safetensors")).run())
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("expected one tensor");
      assertThatThrownBy(
              () ->
                  request
                      .textualInversion("x", FILES.resolve("one.bin"))
                      .textualInversion("X", FILES.resolve("two.pt"))
                      .run())
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("the word X is given twice");
      assertThatThrownBy(() -> request.textualInversion(" ", FILES.resolve("one.bin")))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("the word is blank");
      assertThatThrownBy(() -> request.textualInversion("x", Path.of("none.pt")).run())
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("none.pt: no such file");
    }
  }
}
