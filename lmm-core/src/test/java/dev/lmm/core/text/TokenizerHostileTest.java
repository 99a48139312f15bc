package dev.lmm.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.ClosedException;
import dev.lmm.InvalidRequestException;
import dev.lmm.LmmException;
import dev.lmm.core.json.Json;
import dev.lmm.core.json.JsonText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Broken and malicious tokenizer files. Without the library's own checks, most of these would end
 * the Java process: the native library panics on them.
 */
class TokenizerHostileTest {
  private static final Path FILES = Path.of("src/test/resources/golden/tokenizers/files");

  private static final String GOOD =
      """
      {"version": "1.0", "truncation": {"max_length": 2, "strategy": "LongestFirst", "stride": 0,
       "direction": "Right"}, "padding": null, "added_tokens": [], "normalizer": %s,
       "pre_tokenizer": %s, "post_processor": %s, "decoder": %s, "model": %s}""";
  private static final String BPE =
      """
      {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "c": 3}, "merges": ["a b"],
       "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": null,
       "fuse_unk": false, "byte_fallback": false, "dropout": null}""";

  @TempDir Path folder;

  @Test
  void theUnbrokenFileLoadsAndIsNotCut() {
    try (Tokenizer tokenizer = load("null", "null", "null", "null", BPE)) {
      assertThat(tokenizer.encode("abcab", true).ids()).containsExactly(2, 3, 2);
      assertThat(tokenizer.encode("abcab", true).tokens()).containsExactly("ab", "c", "ab");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\":\"WordPiece\",\"prefix\":\"\\ud800\",\"cleanup\":true}",
        "{\"type\":\"WordPiece\",\"prefix\":\"\\udc00\\ud800\",\"cleanup\":true}",
        "{\"type\":\"Metaspace\",\"replacement\":\"\\udfff\",\"prepend_scheme\":\"always\"}",
      })
  void halfCharactersAreRefused(String decoder) {
    assertThatThrownBy(() -> load("null", "null", "null", decoder, BPE))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("half a surrogate pair");
  }

  @Test
  void idsWithHolesAreIds() {
    String bpe = BPE.replace("\"c\": 3", "\"c\": 5");
    try (Tokenizer tokenizer = load("null", "null", "null", "null", bpe)) {
      assertThat(tokenizer.encode("abc", true).ids()).containsExactly(2, 5);
      assertThat(tokenizer.vocabularySize()).isEqualTo(6);
      assertThat(tokenizer.decode(new int[] {2, 4, 5}, true)).isEqualTo("ab c");
      assertThat(tokenizer.bytes(4)).isNull();
    }
    String unigram =
        "{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],[\"a\",-1],[\"b\",-2]]}";
    String json =
        GOOD.formatted("null", "null", "null", "null", unigram)
            .replace(
                "\"added_tokens\": []",
                "\"added_tokens\": [{\"id\":5,\"content\":\"a\",\"single_word\":false,"
                    + "\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}]");
    try (Tokenizer tokenizer = load(json)) {
      assertThat(tokenizer.encode("ab", true).ids()).hasSize(2);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      value = {
        "normalizer;{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"!!!\"};normalizer.precompiled_charsmap is \"!!!\"; expected base64",
        "normalizer;{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"\"};expected a character map",
        "normalizer;{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AQ==\"};precompiled_charsmap has a trie",
        "normalizer;{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"/////wAAAAA=\"};precompiled_charsmap has a trie",
        "normalizer;{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"CAAAAP//////////YWIA\"};precompiled_charsmap leads to unit",
        "normalizer;{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(a+)+b\"},\"content\":\"\"};normalizer.pattern.Regex is",
        "normalizer;{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"[z-a]\"},\"content\":\"\"};is no usable tokenizer",
        "normalizer;{\"type\":\"Evil\"};normalizer.type is \"Evil\"; expected one of",
        "normalizer;{\"NFC\":1};normalizer.type is missing",
        "normalizer;[];normalizer is an array of 0; expected an object",
        "pre_tokenizer;{\"type\":\"FixedLength\",\"length\":0};pre_tokenizer.length is 0; expected a length of at least 1",
        "pre_tokenizer;{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a|b)*c\"},\"behavior\":\"Isolated\",\"invert\":false};a repeated group",
        "post_processor;{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"x\",\"type_id\":0}}],\"pair\":[],\"special_tokens\":{}};post_processor.single[0].SpecialToken.id is \"x\"",
        "post_processor;{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"B\",\"type_id\":0}}],\"pair\":[],\"special_tokens\":{}};post_processor.single[0].Sequence.id is \"B\"",
        "decoder;{\"type\":\"Strip\",\"content\":\" \",\"start\":0,\"stop\":1};decoder.stop is 1; expected 0",
        "model;{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"],\"continuing_subword_prefix\":\"####\"};model.merges[0] is \"a b\"",
        "model;{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b\"]};is no usable tokenizer",
        "model;{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]};is no usable tokenizer",
        "model;{\"type\":\"BPE\",\"vocab\":{\"a\":1800000000},\"merges\":[]};the token a has the id 1800000000; expected less than 4194304",
        "model;{\"type\":\"Unigram\",\"unk_id\":3,\"vocab\":[[\"a\",0.0]]};model.unk_id is 3; expected an id below the number of pieces, 1",
        "model;{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"a\",NaN]]};model.vocab[0] is an array of 2; expected a piece and its finite score",
        "model;{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"vocab\":{\"a\":0}};model.unk_token is \"[UNK]\"; expected a piece of model.vocab",
        "model;{\"type\":\"Magic\"};model.type is \"Magic\"",
        "model;null;model.type",
      })
  void eachMistakeIsNamed(String part, String value, String message) {
    Map<String, String> parts = new HashMap<>();
    parts.put(part, value);
    assertThatThrownBy(
            () ->
                load(
                    parts.getOrDefault("normalizer", "null"),
                    parts.getOrDefault("pre_tokenizer", "null"),
                    parts.getOrDefault("post_processor", "null"),
                    parts.getOrDefault("decoder", "null"),
                    parts.getOrDefault("model", BPE)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("tokenizer.json")
        .hasMessageContaining(part.equals("model") && value.equals("null") ? "model" : message);
  }

  @Test
  void aTextWithoutPieceAndWithoutUnknownIsAnError() {
    String model = BPE.replace("\"unk_token\": null", "\"unk_token\": \"<unk>\"");
    try (Tokenizer tokenizer = load("null", "null", "null", "null", model)) {
      assertThatThrownBy(() -> tokenizer.encode("xyz", true))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("<unk>");
      assertThat(tokenizer.encode("ab", true).ids()).containsExactly(2);
    }
  }

  @Test
  void textsOfAnyLengthUpToTheLimit() throws IOException {
    try (Tokenizer tokenizer = Tokenizers.load(unpacked("qwen2.5"), false)) {
      // The longest run the pattern goes back over one by one.
      assertThat(tokenizer.encode(" ".repeat(Tokenizer.LONGEST_TEXT - 1) + "x", true).ids())
          .isNotEmpty();
      assertThat(tokenizer.encode("\r\n \t".repeat(100_000), true).ids()).isNotEmpty();
      String longer = " ".repeat(Tokenizer.LONGEST_TEXT + 1);
      assertThatThrownBy(() -> tokenizer.encode(longer, true))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("1048577");
    }
  }

  @Test
  void halvesOfCharactersBecomeQuestionMarks() throws IOException {
    try (Tokenizer tokenizer = Tokenizers.load(FILES.resolve("clip"), false)) {
      assertThat(tokenizer.encode("a\ud83d b\ude00", true).ids())
          .isEqualTo(tokenizer.encode("a? b?", true).ids());
    }
  }

  @Test
  void idsThatAreNoneLeaveNoTrace() {
    try (Tokenizer tokenizer = load("null", "null", "null", "null", BPE)) {
      assertThat(tokenizer.decode(new int[] {2, 1_000_000, -1, Integer.MIN_VALUE, 3}, true))
          .isEqualTo("ab c");
      assertThat(tokenizer.decode(new int[0], true)).isEmpty();
    }
  }

  @Test
  void closedTwiceIsHarmlessAndUsedAfterwardsIsAnError() {
    Tokenizer tokenizer = load("null", "null", "null", "null", BPE);
    tokenizer.close();
    tokenizer.close();
    assertThatThrownBy(() -> tokenizer.encode("a", true)).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> tokenizer.decode(new int[] {1}, true))
        .isInstanceOf(ClosedException.class);
  }

  @Test
  void equalContentIsReadOnce() {
    int before = NativeTokenizers.open();
    Tokenizer first = load("null", "null", "null", "null", BPE);
    Tokenizer second = load("null", "null", "null", "null", BPE);
    assertThat(NativeTokenizers.open()).isEqualTo(before + 1);
    first.close();
    first.close();
    assertThat(second.encode("ab", true).ids()).containsExactly(2);
    second.close();
    assertThat(NativeTokenizers.open()).isEqualTo(before);
  }

  @Test
  void manyThreadsGetTheSameIds() throws Exception {
    try (Tokenizer tokenizer = Tokenizers.load(FILES.resolve("clip"), false)) {
      String[] texts = {"a photo of a cat", "고양이 두 마리", "👩‍👩‍👧‍👦 e\u0301", ""};
      int[][] expected =
          Arrays.stream(texts).map(t -> tokenizer.encode(t, true).ids()).toArray(int[][]::new);
      ExecutorService pool = Executors.newFixedThreadPool(4);
      try {
        List<Future<Boolean>> runs = new ArrayList<>();
        for (int thread = 0; thread < 4; thread++) {
          runs.add(
              pool.submit(
                  () -> {
                    boolean equal = true;
                    for (int i = 0; i < 400; i++) {
                      equal &=
                          Arrays.equals(
                              tokenizer.encode(texts[i % 4], true).ids(), expected[i % 4]);
                    }
                    return equal;
                  }));
        }
        for (Future<Boolean> run : runs) {
          assertThat(run.get()).isTrue();
        }
      } finally {
        pool.shutdownNow();
      }
    }
  }

  /**
   * Every layout with bytes changed, cut off and put in: an exception of the library, or a load.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {"clip", "siglip-fixture", "t5", "bert", "gemma", "llama", "pieces-unigram"})
  void damagedFilesNeverDoMoreThanThrow(String name) throws IOException {
    Random random = new Random(7);
    Path source = unpacked(name);
    List<Path> files;
    try (Stream<Path> listed = Files.list(source)) {
      files = listed.sorted().toList();
    }
    for (int round = 0; round < 12; round++) {
      Path file = files.get(random.nextInt(files.size()));
      byte[] good = Files.readAllBytes(file);
      byte[] bad = good.clone();
      if (round % 3 == 0) {
        bad = Arrays.copyOf(good, random.nextInt(good.length));
      } else {
        for (int i = 0; i < 1 + round; i++) {
          bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
        }
      }
      Files.write(file, bad);
      try (Tokenizer tokenizer = Tokenizers.load(source, false)) {
        tokenizer.encode("two cats, 고양이 <unk> </s> \u00bd", true);
        tokenizer.decode(new int[] {0, 1, 2, 3, 500, 49407}, false);
      } catch (LmmException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
      Files.write(file, good);
    }
  }

  /** A tokenizer.json whose tree is changed at random places. */
  @Test
  void changedTreesNeverDoMoreThanThrow() throws IOException {
    List<Object> trees = new ArrayList<>();
    trees.add(Json.parse(FILES.resolve("gemma/tokenizer.json")).raw());
    trees.add(
        Json.parse(
                GOOD.formatted(
                        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}]}",
                        "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}",
                        "{\"type\":\"RobertaProcessing\",\"sep\":[\"b\",1],\"cls\":[\"a\",0],\"trim_offsets\":true,\"add_prefix_space\":true}",
                        "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]}",
                        BPE)
                    .getBytes(StandardCharsets.UTF_8),
                "fixture")
            .raw());
    Random random = new Random(11);
    for (int round = 0; round < 300; round++) {
      Object tree = copy(trees.get(round % trees.size()), random, 0.002 + 0.05 * (round % 2));
      Files.writeString(folder.resolve("tokenizer.json"), JsonText.of(tree));
      try (Tokenizer tokenizer = Tokenizers.load(folder, round % 3 == 0)) {
        tokenizer.encode("ab 고양이 \u0000 <0x41>", true);
        tokenizer.decode(new int[] {0, 1, 2, 3}, true);
      } catch (LmmException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }

  private static Object copy(Object value, Random random, double chance) {
    if (random.nextDouble() < chance) {
      Object[] others = {"", "a", 0L, -1L, 4294967295L, 0.5, true, List.of(), Map.of()};
      return others[random.nextInt(others.length)];
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, Object> copy = new LinkedHashMap<>();
      map.forEach(
          (key, child) -> {
            if (random.nextDouble() >= chance / 4) {
              copy.put((String) key, child == null ? null : copy(child, random, chance));
            }
          });
      return copy;
    }
    if (value instanceof List<?> list) {
      List<Object> copy = new ArrayList<>();
      for (Object child : list) {
        copy.add(child == null ? null : copy(child, random, chance));
      }
      return copy;
    }
    return value;
  }

  @Test
  void aCharacterMapOfAPublishedModelPasses() {
    SentencePieceModel model = SentencePieceModel.read(FILES.resolve("t5/spiece.model"));
    assertThat(model.charsMap()).isNotEmpty();
    new CharsMap(model.charsMap(), "t5").checkEveryPath();
    // A single unit led astray is found, wherever it lies.
    byte[] bad = model.charsMap().clone();
    Arrays.fill(bad, 4, 8, (byte) 0xff);
    String base64 = Base64.getEncoder().encodeToString(bad);
    assertThatThrownBy(
            () ->
                load(
                    "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"" + base64 + "\"}",
                    "null",
                    "null",
                    "null",
                    BPE))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("precompiled_charsmap");
  }

  @Test
  void piecesOfAnyLengthCostWhatTheyCanBeMergedFrom() throws IOException {
    Random random = new Random(3);
    List<String> pieces = new ArrayList<>(List.of("a", "b", "ab"));
    // No two make it, since none is as long as a half of it: nothing is looked up.
    pieces.add(letters(random, 100_000));
    Files.write(folder.resolve("tokenizer.model"), model(pieces));
    try (Tokenizer tokenizer = Tokenizers.load(folder, false)) {
      assertThat(tokenizer.encode("ab", false).tokens()).contains("ab");
    }
    // Of every length: each could be made of hundreds of pairs, and none is.
    for (int length = 3; length < 1000; length++) {
      pieces.add(letters(random, length));
    }
    Files.write(folder.resolve("tokenizer.model"), model(pieces));
    assertThatThrownBy(() -> Tokenizers.load(folder, false))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("tokenizer.model: has a piece of ")
        .hasMessageContaining("characters among many; is it damaged?");
  }

  private static String letters(Random random, int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append((char) ('c' + random.nextInt(24)));
    }
    return text.toString();
  }

  /** A sentencepiece model of the BPE kind. */
  private static byte[] model(List<String> pieces) {
    ByteArrayOutputStream model = new ByteArrayOutputStream();
    List<String> all = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    all.addAll(pieces);
    for (int i = 0; i < all.size(); i++) {
      byte[] text = all.get(i).getBytes(StandardCharsets.UTF_8);
      ByteArrayOutputStream piece = new ByteArrayOutputStream();
      field(piece, 1, text);
      piece.writeBytes(new byte[] {0x15, 0, 0, 0, 0, 0x18, (byte) (i == 0 ? 2 : i < 3 ? 3 : 1)});
      field(model, 1, piece.toByteArray());
    }
    field(model, 2, new byte[] {0x18, 2});
    return model.toByteArray();
  }

  private static void field(ByteArrayOutputStream out, int number, byte[] content) {
    out.write((number << 3) | 2);
    int left = content.length;
    for (; left > 127; left >>= 7) {
      out.write((left & 127) | 128);
    }
    out.write(left);
    out.writeBytes(content);
  }

  private Tokenizer load(
      String normalizer, String preTokenizer, String postProcessor, String decoder, String model) {
    return load(GOOD.formatted(normalizer, preTokenizer, postProcessor, decoder, model));
  }

  private Tokenizer load(String json) {
    try {
      Files.writeString(folder.resolve("tokenizer.json"), json);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return Tokenizers.load(folder, false);
  }

  private Path unpacked(String name) throws IOException {
    return TokenizerFixtures.unpack(name, folder);
  }
}
