package dev.lmm.core.decode.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Cancellation;
import dev.lmm.CheckpointException;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.decode.Decoder;
import dev.lmm.core.decode.FinishReason;
import dev.lmm.core.decode.Generation;
import dev.lmm.core.decode.GenerationOptions;
import dev.lmm.core.decode.KvCache;
import dev.lmm.core.decode.Prompt;
import dev.lmm.core.decode.StepInput;
import dev.lmm.core.decode.StepModel;
import dev.lmm.core.decode.grammar.Grammar.Spacing;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.json.Json;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class GrammarTest {
  /** All single bytes, pieces of JSON and Korean, halves of characters; the last id ends. */
  private static final byte[][] VOCABULARY = vocabulary();

  private static final int END = VOCABULARY.length;
  private static final TokenBytes TOKENS = TokenBytes.of(VOCABULARY);

  private static byte[][] vocabulary() {
    List<byte[]> tokens = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      tokens.add(new byte[] {(byte) b});
    }
    for (String piece :
        List.of(
            "{\"",
            "\":",
            "\": ",
            "\", \"",
            "[{\"",
            "}]",
            "]}",
            "},",
            ", ",
            " \"",
            "\"a",
            "\"label\"",
            "bbox",
            "true",
            "false",
            "null",
            "tr",
            "ue",
            "12",
            "123",
            "1234",
            "00",
            "-1",
            "0.",
            ".5",
            "9999",
            "\\\"",
            "\\u",
            "\\n",
            "\n  ",
            "\t",
            "a",
            "ab",
            "abc",
            "고양이",
            "강아",
            "지",
            "é",
            "😀",
            "e5",
            "]]",
            "[[",
            "\":\"",
            "\",\"")) {
      tokens.add(piece.getBytes(StandardCharsets.UTF_8));
    }
    byte[] korean = "고양".getBytes(StandardCharsets.UTF_8);
    tokens.add(new byte[] {korean[0], korean[1]});
    tokens.add(new byte[] {korean[2], korean[3]});
    return tokens.toArray(new byte[0][]);
  }

  /** A model that likes anything. */
  private static final class Noise implements StepModel {
    private final SplittableRandom random;
    private final int width;
    int disliked = -1;

    Noise(long seed, int width) {
      this.random = new SplittableRandom(seed);
      this.width = width;
    }

    @Override
    public int vocabularySize() {
      return width;
    }

    @Override
    public int contextLength() {
      return 100_000;
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
      Tensor logits = Tensor.zeros(DType.F32, input.rows(), width);
      for (int i = 0; i < input.rows() * width; i++) {
        logits
            .floats()
            .put(i, (float) (8 * random.nextDouble() - (i % width == disliked ? 99 : 4)));
      }
      return logits;
    }
  }

  private static Generation write(Grammar grammar, long seed, int maxTokens) {
    GenerationOptions options =
        GenerationOptions.GREEDY
            .sample(true)
            .seed(seed)
            .maxTokens(maxTokens)
            .repetitionPenalty(1.1f)
            .noRepeatNgram(3)
            .grammar(grammar.over(TOKENS));
    return new Decoder(new Noise(seed, END + 1), null, END).generate(Prompt.of(0), options);
  }

  private static String text(Generation answer) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int id : answer.ids()) {
      if (id != END) {
        bytes.writeBytes(VOCABULARY[id]);
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void anAnswerIsFinishedInTimeThoughTheModelWouldGoOn() {
    Noise model = new Noise(1, END + 1);
    model.disliked = '!';
    Grammar grammar = Grammar.regex("[a-z]{0,200}!");
    GenerationOptions options =
        GenerationOptions.GREEDY.maxTokens(30).grammar(grammar.over(TOKENS));
    Generation answer = new Decoder(model, null, END).generate(Prompt.of(0), options);
    assertThat(answer.ids()).hasSize(30);
    assertThat(grammar.matches(text(answer))).isTrue();
    assertThat(answer.finish()).isEqualTo(FinishReason.GRAMMAR);
  }

  private static final String[] SCHEMAS = {
    "{\"type\":\"array\",\"maxItems\":9,\"items\":{\"type\":\"object\",\"properties\":{\"bbox_2d\":"
        + "{\"type\":\"array\",\"minItems\":4,\"maxItems\":4,\"items\":{\"type\":\"integer\",\"minimum\":0,"
        + "\"maximum\":1036}},\"label\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":12}},"
        + "\"required\":[\"bbox_2d\",\"label\"],\"additionalProperties\":false}}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"},\"b\":{\"type\":[\"string\",\"null\"]},"
        + "\"c\":{\"enum\":[1,\"zwei\",null,[3,{\"x\":true}]]}},\"required\":[\"b\"]}",
    "{\"type\":\"number\",\"exclusiveMinimum\":-3.25,\"maximum\":17.5}",
    "{\"type\":\"number\",\"minimum\":0.125,\"maximum\":0.1875}",
    "{\"type\":\"integer\",\"minimum\":-120,\"exclusiveMaximum\":-7}",
    "{\"type\":\"integer\",\"minimum\":-2.5,\"maximum\":2.5}",
    "{\"type\":\"string\",\"pattern\":\"^[가-힣]{2,3}( \\\\d+)?$\"}",
    "{\"type\":\"string\",\"pattern\":\"a[\\\"\\\\\\\\\\\\n]b\"}",
    "{}",
    "true",
    "{\"type\":\"object\"}",
    "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"},\"minProperties\":1,"
        + "\"maxProperties\":1}",
    "{\"type\":\"array\"}",
    "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}],\"items\":false}",
    "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":2}]}",
    "{\"oneOf\":[{\"type\":\"string\",\"maxLength\":3},{\"type\":\"integer\"},{\"type\":\"object\","
        + "\"properties\":{\"deep\":{\"type\":\"number\"}},\"required\":[\"deep\"]}]}",
    "{\"$defs\":{\"node\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"children\":"
        + "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/node\"}}},\"required\":[\"name\"]}},"
        + "\"$ref\":\"#/$defs/node\"}",
    "{\"const\":{\"k\":[\"\\u00e9\",\"\\\"\"]}}",
    "{\"type\":\"string\",\"format\":\"date-time\"}",
  };

  @ParameterizedTest
  @EnumSource(Spacing.class)
  void whateverAModelLikesTheAnswerParsesAndSatisfiesTheSchema(Spacing spacing) {
    int ended = 0;
    for (String schema : SCHEMAS) {
      Grammar grammar = Grammar.jsonSchema(schema, spacing);
      SchemaChecker checker =
          new SchemaChecker(Json.parse(schema.getBytes(StandardCharsets.UTF_8), "schema"));
      for (int seed = 0; seed < 12; seed++) {
        Generation answer = write(grammar, seed, seed % 3 == 0 ? 90 : 300);
        String text = text(answer);
        assertThat(grammar.matches(text)).as("%s: %s", schema, text).isTrue();
        Json value;
        try {
          value = Json.parse(text.getBytes(StandardCharsets.UTF_8), "answer");
        } catch (CheckpointException e) {
          // Names that come twice are legal JSON, which this library's own reader refuses.
          assertThat(e).hasMessageContaining("Duplicate key");
          continue;
        }
        assertThat(checker.valid(value)).as("%s: %s", schema, text).isTrue();
        ended += answer.finish() == FinishReason.LENGTH ? 0 : 1;
      }
    }
    assertThat(ended).isGreaterThan(20);
  }

  private static final String[] PATTERNS = {
    "abc",
    "a|bc|",
    "(ab)*c+",
    "a{2,4}",
    "[a-c]{3}",
    "[^a-z]",
    "(a|b)*abb",
    "x?y??z*?",
    "\\d{1,3}(,\\d{3})*",
    "(?:고양이|강아지)+",
    "[가-힣]+",
    ".",
    "[^\\n]*",
    "\\w+@\\w+\\.com",
    "(a?){8}a{8}",
    "\\p{IsHangul}{1,2}",
    "[\\]\\-x]+",
    "\\x41\\u00e9",
    "-?(0|[1-9]\\d*)",
    "\\s\\S\\D\\W",
  };

  @Test
  void regularExpressionsMatchWhatJavasMatch() {
    SplittableRandom random = new SplittableRandom(4);
    String[] bits = {
      "a", "b", "c", "x", "y", "z", "1", "0", ",", "-", "고양이", "강아지", "가", "é", "A", "@", ".com",
      "\n", " ", "😀", "]", "abb", "000"
    };
    int matched = 0;
    for (String source : PATTERNS) {
      Grammar grammar = Grammar.regex(source);
      Pattern pattern = Pattern.compile(source);
      for (int i = 0; i < 300; i++) {
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(6); n > 0; n--) {
          text.append(bits[random.nextInt(bits.length)]);
        }
        boolean expected = pattern.matcher(text).matches();
        assertThat(grammar.matches(text.toString())).as("%s: %s", source, text).isEqualTo(expected);
        matched += expected ? 1 : 0;
      }
      for (int seed = 0; seed < 8; seed++) {
        String text = text(write(grammar, seed, 40));
        assertThat(pattern.matcher(text).matches()).as("%s: %s", source, text).isTrue();
      }
    }
    assertThat(matched).isGreaterThan(100);
  }

  @Test
  void integersKeepToTheirBounds() {
    int[][] bounds = {
      {0, 0}, {0, 9}, {3, 1036}, {99, 101}, {-12, 7}, {-130, -98}, {-1, 0}, {1, 100}
    };
    for (int[] each : bounds) {
      Grammar grammar =
          Grammar.jsonSchema(
              "{\"type\":\"integer\",\"minimum\":" + each[0] + ",\"maximum\":" + each[1] + "}");
      for (int n = -1500; n <= 1500; n++) {
        assertThat(grammar.matches(String.valueOf(n)))
            .as("%d in %d..%d", n, each[0], each[1])
            .isEqualTo(each[0] <= n && n <= each[1]);
      }
      for (String wrong : List.of("", "-", "-0", "00", "01", "+1", "1.0", "1e0", " 1")) {
        assertThat(grammar.matches(wrong)).as(wrong).isFalse();
      }
    }
  }

  @Test
  void decimalsKeepToTheirBounds() {
    String[][] bounds = {
      {"0", "1"},
      {"-1", "1"},
      {"0.25", "0.75"},
      {"-0.5", "-0.125"},
      {"2.5", "13"},
      {"-3", "-3"},
      {"9.99", "10.01"}
    };
    for (String[] each : bounds) {
      for (boolean exclusive : new boolean[] {false, true}) {
        double low = Double.parseDouble(each[0]);
        double high = Double.parseDouble(each[1]);
        if (exclusive && low == high) {
          continue;
        }
        Grammar grammar =
            Grammar.jsonSchema(
                exclusive
                    ? "{\"exclusiveMinimum\":" + each[0] + ",\"exclusiveMaximum\":" + each[1] + "}"
                    : "{\"minimum\":" + each[0] + ",\"maximum\":" + each[1] + "}");
        for (int n = -14_000; n <= 14_000; n += 5) {
          String text = BigDecimal.valueOf(n, 3).toPlainString();
          double value = n / 1000.0;
          boolean expected =
              exclusive ? low < value && value < high : low <= value && value <= high;
          assertThat(grammar.matches(text))
              .as("%s in %s..%s", text, each[0], each[1])
              .isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void spacingIsAsAsked() {
    String schema = "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}";
    Grammar none = Grammar.jsonSchema(schema, Spacing.NONE);
    Grammar single = Grammar.jsonSchema(schema);
    Grammar free = Grammar.jsonSchema(schema, Spacing.FREE);
    assertThat(none.matches("[1,2]")).isTrue();
    assertThat(none.matches("[1, 2]")).isFalse();
    assertThat(single.matches("[1, 2]")).isTrue();
    assertThat(single.matches("[1,2]")).isFalse();
    assertThat(free.matches("[\n\t1 ,\r\n 2\n]")).isTrue();
    assertThat(free.matches("[1,2]")).isTrue();
  }

  @Test
  void valuesNestAsDeepAsSaid() {
    Grammar any = Grammar.jsonSchema("{}");
    assertThat(any.matches("[[[[[1]]]]]")).isTrue();
    assertThat(any.matches("[[[[[[1]]]]]]")).isFalse();
    assertThat(any.matches("{\"a\": [{\"b\": null}, \"\\u0041\"]}")).isFalse();
    assertThat(any.matches("{\"a\": [{\"b\": null}, \"A\\n\"]}")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\":\"string\",\"foo\":1} -> keyword \"foo\" is not supported",
        "{\"type\":\"string\",\"minimum\":1} -> \"minimum\" is not supported for type string",
        "{\"not\":{}} -> keyword \"not\" is not supported",
        "{\"type\":\"array\",\"uniqueItems\":true} -> \"uniqueItems\" is not supported",
        "{\"type\":\"array\",\"items\":{\"multipleOf\":2}} -> at items: keyword \"multipleOf\"",
        "{\"allOf\":[{},{}]} -> \"allOf\" of several schemas is not supported",
        "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]} -> two allow number, use anyOf",
        "{\"type\":\"integer\",\"minimum\":1.2,\"maximum\":1.8} -> no integer lies between",
        "{\"type\":\"number\",\"minimum\":2,\"exclusiveMaximum\":2} -> no number lies between",
        "{\"minItems\":3,\"maxItems\":2} -> nothing satisfies it",
        "{\"minLength\":3,\"maxLength\":2} -> nothing satisfies it",
        "{\"type\":\"number\",\"enum\":[\"a\"]} -> no value of enum or const has the type",
        "{\"required\":[\"a\"]} -> requires \"a\", which properties does not describe",
        "{\"format\":\"email\"} -> format \"email\" is not supported; expected one of [date,",
        "{\"$ref\":\"#/$defs/a\"} -> refers to #/$defs/a, which is not there",
        "{\"$ref\":\"http://x\"} -> only places in the same schema",
        "{\"type\":\"text\"} -> type is text; expected one of [object,",
        "{\"pattern\":\"(?=a)\"} -> group '(?'",
        "3 -> expected an object, true or false",
        "{ -> is no valid JSON",
      })
  void whatCannotBeServedIsNamed(String line) {
    String[] parts = line.split(" -> ", 2);
    assertThatThrownBy(() -> Grammar.jsonSchema(parts[0]))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining(parts[1]);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(a -> '(' without ')'",
        "a) -> ')' without '('",
        "[a -> '[' without ']'",
        "*a -> nothing to repeat",
        "a{2,1} -> count {2,1}",
        "a{99999} -> count {99999}",
        "a{x} -> without a count",
        "(?!a) -> group '(?'",
        "\\1 -> escape '\\1'",
        "\\b -> escape '\\b'",
        "a^b -> anchor '^' inside",
        "a++ -> possessive",
        "[z-a] -> a range whose ends",
        "\\p{Nix} -> character property",
        "^a|b$ -> an anchor beside a choice",
        "[^\\d\\D] -> a class without characters",
      })
  void brokenExpressionsAreNamed(String line) {
    String[] parts = line.split(" -> ", 2);
    assertThatThrownBy(() -> Grammar.regex(parts[0]))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining(parts[1]);
  }

  @Test
  void nothingGrowsWithoutBounds() {
    assertThatThrownBy(() -> Grammar.regex("((a{1000}){1000}){1000}"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("more than 1000000 states");
    assertThatThrownBy(() -> Grammar.regex("(".repeat(5000) + ")".repeat(5000)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("nested deeper");
    String wide =
        "{\"properties\":{"
            + String.join(
                ",",
                IntStream.range(0, 12).mapToObj(i -> "\"p" + i + "\":{\"$ref\":\"#\"}").toList())
            + "}}";
    assertThatThrownBy(() -> Grammar.jsonSchema(wide))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("once references are followed");
    // Its deterministic automaton has 2^30 states; only those on the way are made.
    Grammar wild = Grammar.regex("[ab]*a[ab]{30}");
    for (int seed = 0; seed < 3; seed++) {
      assertThat(wild.matches(text(write(wild, seed, 60)))).isTrue();
    }
  }

  @Test
  void whatTheVocabularyCannotWriteIsRefusedAtOnce() {
    byte[][] letters = {{'a'}, {'b'}, "cc".getBytes(StandardCharsets.UTF_8)};
    TokenBytes tokens = TokenBytes.of(letters);
    assertThatThrownBy(() -> Grammar.regex("abz").over(tokens))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("regex abz: nothing that the vocabulary can write satisfies it");
    assertThatThrownBy(() -> Grammar.jsonSchema("{\"enum\":[]}"))
        .hasMessageContaining("no value of enum");
    assertThatThrownBy(() -> Grammar.jsonSchema("false").over(TOKENS))
        .hasMessage("schema: nothing that the vocabulary can write satisfies it");
  }

  @Test
  void tooFewTokensForTheShortestAnswerAreRefusedBeforeWork() {
    assertThatThrownBy(() -> write(Grammar.regex("[a-z]{50}"), 0, 49))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("the shortest answer that satisfies the grammar may take 50 tokens");
    assertThat(text(write(Grammar.regex("[a-z]{50}"), 0, 50))).hasSize(50);
  }

  @Test
  void beamsKeepToTheGrammarToo() {
    Grammar grammar = Grammar.regex("(cat|dog|고양이)( and (cat|dog))?");
    GenerationOptions options =
        GenerationOptions.GREEDY.beams(4).best(4).maxTokens(30).grammar(grammar.over(TOKENS));
    List<Generation> found =
        new Decoder(new Noise(5, END + 1), null, END).search(Prompt.of(0), options);
    assertThat(found).hasSize(4);
    assertThat(found).allSatisfy(each -> assertThat(grammar.matches(text(each))).isTrue());
  }
}
