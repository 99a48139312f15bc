package dev.lmm.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.ClosedException;
import dev.lmm.InvalidRequestException;
import dev.lmm.LmmException;
import dev.lmm.UnsupportedModelException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
  private static final int QWEN_END = 151645;

  @TempDir Path temporary;

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "clip 49408 <|endoftext|> 49407",
        "clip 49408 cat</w> 2368",
        "qwen2.5 151665 <|im_end|> 151645",
        "t5 32100 <extra_id_0> 32099",
        "siglip-t5 32000 </s> 1",
        "bert 30522 [SEP] 102",
        "llama 1100 </s> 2",
        "llama 1100 <image> 4",
        "pieces-unigram 840 <ctrl> 3",
        "bert-dec 30523 [DEC] 30522",
        "opt 50265 Ċ 50118",
        "opt-image 50266 <image> 50265",
        "t5-image 32101 <image> 32100",
      })
  void piecesHaveIds(String name, int size, String piece, int id) throws IOException {
    try (Tokenizer tokenizer = Tokenizers.load(TokenizerFixtures.unpack(name, temporary), false)) {
      assertThat(tokenizer.vocabularySize()).isEqualTo(size);
      assertThat(tokenizer.id(piece)).hasValue(id);
      assertThat(tokenizer.id("no such piece")).isEmpty();
    }
  }

  @Test
  void clipDecodesAsItsClassDoes() throws IOException {
    try (Tokenizer tokenizer =
        Tokenizers.load(TokenizerFixtures.unpack("clip", temporary), false)) {
      int[] ids = tokenizer.encode("A photo of two CATS, 고양이!", true).ids();
      assertThat(tokenizer.decode(ids, true)).isEqualTo("a photo of two cats , 고양이 !");
      assertThat(tokenizer.decode(ids, false))
          .startsWith("<|startoftext|>a photo")
          .endsWith("! <|endoftext|>");
    }
  }

  /**
   * An older layout: added_tokens.json, whose tokens are text unless the config calls them special.
   */
  @Test
  void addedTokensHaveAFileOfTheirOwn() throws IOException {
    Path folder = TokenizerFixtures.unpack("opt", temporary);
    Files.writeString(folder.resolve("added_tokens.json"), "{\"<image>\": 50265}");
    try (Tokenizer tokenizer = Tokenizers.load(folder, false)) {
      int[] ids = tokenizer.encode("<image>a b", true).ids();
      assertThat(ids).containsExactly(2, 50265, 102, 741);
      assertThat(tokenizer.decode(ids, true)).isEqualTo("<image>a b");
    }
    Path config = folder.resolve("tokenizer_config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replaceFirst("\\{", "{\"additional_special_tokens\": [\"<image>\"], "));
    try (Tokenizer tokenizer = Tokenizers.load(folder, false)) {
      assertThat(tokenizer.decode(new int[] {2, 50265, 102}, true)).isEqualTo("a");
    }
  }

  /** The native library would number such tokens anew, and the model would see others. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      value = {
        "{\"<image>\": 50300};the token <image> the id 50300; expected 50265, the first behind",
        "{\"the\": 50265};the token the the id 50265; expected 627, which it has in the vocabulary",
        "{\"<a>\": 50265, \"<b>\": 50265};expected an id of its own",
        "{\"<a>\": \"x\"};added_tokens.json",
      })
  void addedTokensOutOfPlaceAreRefused(String added, String message) throws IOException {
    Path folder = TokenizerFixtures.unpack("opt", temporary);
    Files.writeString(folder.resolve("added_tokens.json"), added);
    assertThatThrownBy(() -> Tokenizers.load(folder, false))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("added_tokens.json")
        .hasMessageContaining(message);
  }

  @Test
  void namedTokensMustBeInTheVocabulary() throws IOException {
    Path folder = TokenizerFixtures.unpack("opt", temporary);
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"tokenizer_class\": \"GPT2Tokenizer\", \"bos_token\": \"<nowhere>\"}");
    assertThatThrownBy(() -> Tokenizers.load(folder, false))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("vocab.json: lacks <nowhere>, which is the bos_token of ")
        .hasMessageContaining("tokenizer_config.json");
  }

  /** Whatever a stream hands out, joined, is the whole; and never half a character. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen2.5", "t5", "t5-image", "gemma-cased", "bert", "opt-image", "llama"})
  void streamsJoinToTheWhole(String name) throws IOException {
    List<int[]> all = TokenizerFixtures.ids(name);
    try (Tokenizer tokenizer = Tokenizers.load(TokenizerFixtures.unpack(name, temporary), false)) {
      for (int i = 0; i < all.size(); i += 2) {
        int[] ids = all.get(i);
        for (boolean skip : new boolean[] {true, false}) {
          String whole = tokenizer.decode(ids, skip);
          boolean broken = whole.indexOf('\ufffd') >= 0;
          TextStream stream = tokenizer.stream(skip);
          StringBuilder joined = new StringBuilder();
          for (int id : ids) {
            String news = stream.accept(id);
            assertThat(broken || news.indexOf('\ufffd') < 0).isTrue();
            assertThat(news.isEmpty() || !Character.isLowSurrogate(news.charAt(0))).isTrue();
            joined.append(news);
          }
          joined.append(stream.finish());
          assertThat(joined).hasToString(whole);
        }
      }
    }
  }

  /** Any ids at all, as an untrained model gives them: bytes that never become characters. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen2.5", "gemma-cased", "opt", "llama"})
  void streamsOfNonsenseJoinToTheWhole(String name) throws IOException {
    Random random = new Random(1);
    try (Tokenizer tokenizer = Tokenizers.load(TokenizerFixtures.unpack(name, temporary), false)) {
      for (int round = 0; round < 300; round++) {
        // Low ids are single bytes.
        int bound = round % 3 == 0 ? tokenizer.vocabularySize() : 260;
        int[] ids = random.ints(1 + random.nextInt(30), 0, bound).toArray();
        TextStream stream = tokenizer.stream(false);
        StringBuilder joined = new StringBuilder();
        for (int id : ids) {
          joined.append(stream.accept(id));
        }
        joined.append(stream.finish());
        assertThat(joined).hasToString(tokenizer.decode(ids, false));
      }
    }
  }

  @Test
  void charactersComeWhole() throws IOException {
    try (Tokenizer tokenizer =
        Tokenizers.load(TokenizerFixtures.unpack("qwen2.5", temporary), false)) {
      int[] ids = tokenizer.encode("𓀀", false).ids();
      assertThat(ids.length).isGreaterThan(1);
      TextStream stream = tokenizer.stream(true);
      for (int i = 0; i < ids.length - 1; i++) {
        assertThat(stream.accept(ids[i])).isEmpty();
      }
      assertThat(stream.accept(ids[ids.length - 1])).isEqualTo("𓀀");
      assertThat(stream.finish()).isEmpty();
      assertThatThrownBy(() -> stream.accept(0)).isInstanceOf(ClosedException.class);
      assertThatThrownBy(stream::finish).isInstanceOf(ClosedException.class);
      TextStream cut = tokenizer.stream(true);
      assertThat(cut.accept(ids[0])).isEmpty();
      assertThat(cut.finish()).isEqualTo("\ufffd");
    }
  }

  /** What a user types never becomes a control token, and loses nothing. */
  @Test
  void controlTokensStayText() throws IOException {
    Path folder = TokenizerFixtures.unpack("qwen2.5", temporary);
    List<String> lines = TokenizerFixtures.lines();
    List<int[]> expected = TokenizerFixtures.ids("qwen2.5");
    try (Tokenizer tokenizer = Tokenizers.loadForChat(folder)) {
      int changed = 0;
      for (int i = 0; i < lines.size(); i++) {
        int[] plain = tokenizer.encodePlain(lines.get(i)).ids();
        assertThat(Arrays.stream(plain).allMatch(id -> id < 151643)).isTrue();
        assertThat(tokenizer.decode(plain, false))
            .isEqualTo(Normalizer.normalize(lines.get(i), Normalizer.Form.NFC));
        boolean control = Arrays.stream(expected.get(i)).anyMatch(id -> id >= 151643);
        if (control) {
          changed++;
        } else {
          assertThat(plain).isEqualTo(expected.get(i));
        }
      }
      assertThat(changed).isGreaterThan(10);
      String typed = "</tool_call><|im_end|><|fim_prefix|><|image_pad|>";
      Set<Integer> ids = new HashSet<>();
      for (int id : tokenizer.encodePlain(typed).ids()) {
        ids.add(id);
      }
      assertThat(ids).allMatch(id -> id < 151643);
      assertThat(tokenizer.encode("<|im_end|>", false).ids()).containsExactly(QWEN_END);
    }
  }

  /**
   * A sentencepiece vocabulary holds its control tokens as pieces, which text can be made of: the
   * reference makes them, a user's text never does.
   */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "pieces-bpe", "pieces-unigram", "t5", "t5-image"})
  void piecesThatAreControlTokensStayText(String name) throws IOException {
    Path folder = TokenizerFixtures.unpack(name, temporary);
    try (Tokenizer tokenizer = Tokenizers.loadForChat(folder)) {
      Set<Integer> control = new HashSet<>();
      for (String token : List.of("<s>", "</s>", "<ctrl>", "<pad>", "<extra_id_0>")) {
        if (tokenizer.addedTokens().containsKey(token)) {
          control.add(tokenizer.addedTokens().get(token));
          assertThat(tokenizer.encode(token, false).ids())
              .contains(tokenizer.addedTokens().get(token));
        }
      }
      assertThat(control).hasSizeGreaterThanOrEqualTo(2);
      for (String line : TokenizerFixtures.lines().subList(0, 300)) {
        for (int id : tokenizer.encodePlain(line + "</s> <ctrl><s>a<pad><extra_id_0>").ids()) {
          assertThat(control).doesNotContain(id);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "pieces-unigram;LlamaTokenizer;tokenizer.model: trainer_spec.model_type is UNIGRAM; LlamaTokenizer expects BPE",
        "llama;GemmaTokenizer;tokenizer_class is GemmaTokenizer; with tokenizer.model only LlamaTokenizer and",
      })
  void otherPiecesThanTheClassExpectsAreRefused(String name, String owner, String message)
      throws IOException {
    Path folder = TokenizerFixtures.unpack(name, temporary);
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"tokenizer_class\":\"" + owner + "\"}");
    assertThatThrownBy(() -> Tokenizers.load(folder, false))
        .isInstanceOf(LmmException.class)
        .hasMessageContaining(message);
  }

  /** However a text is cut, cleaning its parts as they come is cleaning the whole. */
  @Test
  void cleaningUpAsTextComesIsCleaningTheWhole() {
    Random random = new Random(3);
    String alphabet = "   ''nt.,?!msvrex";
    for (int round = 0; round < 50_000; round++) {
      StringBuilder text = new StringBuilder();
      for (int i = random.nextInt(14); i >= 0; i--) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      CleanUp stream = new CleanUp();
      StringBuilder joined = new StringBuilder();
      for (int at = 0; at < text.length(); ) {
        int end = Math.min(text.length(), at + 1 + random.nextInt(4));
        joined.append(stream.accept(text.substring(at, end)));
        at = end;
      }
      joined.append(stream.finish());
      assertThat(joined).hasToString(CleanUp.of(text.toString()));
    }
    assertThat(CleanUp.of("do n't , we 've ' x ' .")).isEqualTo("don't, we've'x '.");
    CleanUp stream = new CleanUp();
    assertThat(stream.accept(" cat")).isEqualTo(" cat");
    assertThat(stream.accept(" a")).isEmpty();
    assertThat(stream.accept(" ,")).isEqualTo(" a");
  }

  @Test
  void plainTextNeedsATokenizerForChat() throws IOException {
    Path folder = TokenizerFixtures.unpack("siglip-t5", temporary);
    assertThatThrownBy(() -> Tokenizers.loadForChat(folder))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("spiece.model");
    try (Tokenizer tokenizer = Tokenizers.load(folder, false)) {
      assertThatThrownBy(() -> tokenizer.encodePlain("x"))
          .isInstanceOf(InvalidRequestException.class);
    }
  }

  /** SigLIP's class reads the sentencepiece model even where a converter left a tokenizer.json. */
  @Test
  void siglipReadsItsSentencepieceModel() throws IOException {
    Path folder = TokenizerFixtures.unpack("siglip-fixture", temporary);
    int[] expected;
    try (Tokenizer tokenizer = Tokenizers.load(folder, false)) {
      expected = tokenizer.encode("Two cats!", true).ids();
    }
    Files.write(folder.resolve("tokenizer.json"), "{}".getBytes(StandardCharsets.UTF_8));
    try (Tokenizer tokenizer = Tokenizers.load(folder, false)) {
      assertThat(tokenizer.encode("Two cats!", true).ids()).isEqualTo(expected);
    }
  }
}
