package dev.lmm.core.decode;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Cancellation;
import dev.lmm.core.decode.grammar.Grammar;
import dev.lmm.core.decode.grammar.TokenBytes;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.json.Json;
import dev.lmm.core.text.Tokenizer;
import dev.lmm.core.text.TokenizerFixtures;
import dev.lmm.core.text.Tokenizers;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Text as it streams, with a real vocabulary and a model that recites. */
class StreamTest {
  private static final int END = 151645;
  @TempDir static Path folder;
  private static Tokenizer tokenizer;

  @BeforeAll
  static void load() throws Exception {
    tokenizer = Tokenizers.loadForChat(TokenizerFixtures.unpack("qwen2.5", folder));
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  /** Says the given ids, whatever it is asked. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Reciter(int[] ids) implements StepModel {
    @Override
    public int vocabularySize() {
      return 152064;
    }

    @Override
    public int contextLength() {
      return 4096;
    }

    @Override
    public KvCache newCache(int rows, int capacity) {
      return new KvCache() {
        @Override
        public int rows() {
          return rows;
        }

        @Override
        public int capacity() {
          return capacity;
        }

        @Override
        public void copyRows(KvCache source, int[] from, int[] to, int first, int end) {}

        @Override
        public void close() {}
      };
    }

    @Override
    public Tensor step(KvCache cache, StepInput input, Cancellation cancellation) {
      Tensor logits = Tensor.zeros(DType.F32, 1, vocabularySize());
      int at = input.past()[0] + input.count() - 1;
      logits.floats().put(at < ids.length ? ids[at] : END, 20);
      return logits;
    }
  }

  private static List<Piece> pieces(String text, GenerationOptions options, Generation[] result) {
    int[] ids = tokenizer.encodePlain(text).ids();
    Decoder decoder = new Decoder(new Reciter(ids), tokenizer, END);
    List<Piece> pieces = new ArrayList<>();
    try (Session session = decoder.session();
        TextRun run = session.stream(Prompt.of(0), options)) {
      run.forEachRemaining(pieces::add);
      result[0] = run.result();
    }
    return pieces;
  }

  private static String joined(List<Piece> pieces) {
    StringBuilder all = new StringBuilder();
    pieces.forEach(piece -> all.append(piece.text()));
    return all.toString();
  }

  @Test
  void charactersComeWholeAndNothingIsLost() {
    String text = "고양이 뷁 👩‍👩‍👧 naïve  two\n\n  ½ 𠮷野家 end";
    Generation[] result = new Generation[1];
    List<Piece> pieces = pieces(text, GenerationOptions.GREEDY, result);
    assertThat(joined(pieces)).isEqualTo(text);
    assertThat(result[0].text()).isEqualTo(text);
    assertThat(result[0].finish()).isEqualTo(FinishReason.END);
    assertThat(pieces).allSatisfy(piece -> assertThat(piece.text()).doesNotContain("\ufffd"));
    assertThat(pieces.get(pieces.size() - 1).id()).isEqualTo(END);
    assertThat(pieces.stream().filter(piece -> piece.text().isEmpty()).count()).isPositive();
  }

  @Test
  void stopStringsEndTheTextWhereverTokensLie() {
    String text = "One two, three. Observation: four five";
    for (String stop :
        List.of("Obs", "Observation:", "three", ", th", " ", "e", "ive", "two, three. O")) {
      Generation[] result = new Generation[1];
      List<Piece> pieces =
          pieces(text, GenerationOptions.GREEDY.stop(List.of("never", stop)), result);
      String expected = text.substring(0, text.indexOf(stop));
      assertThat(joined(pieces)).as(stop).isEqualTo(expected);
      assertThat(result[0].text()).as(stop).isEqualTo(expected);
      assertThat(result[0].finish()).as(stop).isEqualTo(FinishReason.STOP);
    }
  }

  @Test
  void whatOnlyBeganLikeAStopStringIsGivenInTheEnd() {
    Generation[] result = new Generation[1];
    List<Piece> pieces =
        pieces("a b Observ", GenerationOptions.GREEDY.stop(List.of("Observation")), result);
    assertThat(joined(pieces)).isEqualTo("a b Observ");
    assertThat(result[0].finish()).isEqualTo(FinishReason.END);
  }

  @Test
  void theEarliestOfSeveralStopsCounts() {
    Generation[] result = new Generation[1];
    pieces(
        "alpha beta gamma",
        GenerationOptions.GREEDY.stop(List.of("gamma", "beta", "ta g")),
        result);
    assertThat(result[0].text()).isEqualTo("alpha ");
  }

  @Test
  void aGrammarBendsARealVocabularyToItsForm() {
    Grammar boxes =
        Grammar.jsonSchema(
            "{\"type\":\"array\",\"minItems\":1,\"maxItems\":20,\"items\":{\"type\":\"object\",\"properties\":"
                + "{\"bbox_2d\":{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":980},"
                + "\"minItems\":4,\"maxItems\":4},\"label\":{\"type\":\"string\",\"maxLength\":30}},"
                + "\"required\":[\"bbox_2d\",\"label\"]}}");
    TokenBytes bytes = TokenBytes.of(tokenizer);
    Generation[] result = new Generation[1];
    // The model wants to say something else all along.
    pieces(
        "I see {\"a\": 고양이 and 12345 cats [[[",
        GenerationOptions.GREEDY.maxTokens(120).grammar(boxes.over(bytes)),
        result);
    Json value = Json.parse(result[0].text().getBytes(StandardCharsets.UTF_8), "answer");
    assertThat(boxes.matches(result[0].text())).isTrue();
    assertThat(value.elements()).isNotEmpty();
    for (Json each : value.elements()) {
      assertThat(each.at("bbox_2d").ints()).hasSize(4);
      for (int number : each.at("bbox_2d").ints()) {
        assertThat(number).isBetween(0, 980);
      }
    }
  }

  @Test
  void tokensWriteTheBytesTheyDecodeTo() {
    assertThat(tokenizer.bytes(END)).isNull();
    assertThat(tokenizer.bytes(-1)).isNull();
    assertThat(tokenizer.bytes(152000)).isNull();
    String text = "Zażółć gęślą jaźń 고양이 \t 뷁";
    ByteArrayOutputStream raw = new ByteArrayOutputStream();
    for (int id : tokenizer.encodePlain(text).ids()) {
      raw.writeBytes(tokenizer.bytes(id));
    }
    assertThat(raw.toString(StandardCharsets.UTF_8)).isEqualTo(text);
  }
}
