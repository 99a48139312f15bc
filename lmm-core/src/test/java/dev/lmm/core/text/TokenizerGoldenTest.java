package dev.lmm.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.json.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Five thousand lines of mixed scripts through every layout: the ids and texts of transformers. */
class TokenizerGoldenTest {
  @TempDir Path temporary;

  @ParameterizedTest
  @FieldSource("dev.lmm.core.text.TokenizerFixtures#NAMES")
  void idsAndTextsEqualTheReference(String name) throws IOException {
    List<String> lines = TokenizerFixtures.allLines();
    assertThat(lines).hasSize(5000);
    assertThat(lines.get(4999)).hasSizeGreaterThan(30_000).doesNotContain(" ");
    TokenizerFixtures.Result result = TokenizerFixtures.compare(name);
    assertThat(result.wrong()).isEmpty();
    boolean variant =
        List.of("gemma-cased", "opt-image", "t5-image", "bert-dec", "llama-legacy").contains(name);
    assertThat(result.lines()).isEqualTo(variant ? 1000 : 5000);
    assertThat(result.ids()).isEqualTo(result.lines());
    assertThat(result.texts()).isEqualTo(name.startsWith("siglip") ? -1 : result.lines());
  }

  /** Tokens that BLIP-2's checkpoints add, there and back. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "opt",
        "opt-image",
        "t5-image",
        "bert-dec",
        "llama",
        "llama-legacy",
        "pieces-bpe",
        "pieces-unigram"
      })
  void addedTokensEqualTheReference(String name) throws IOException {
    Json more = TokenizerFixtures.more(name);
    List<Json> lines = more.at("lines").elements();
    assertThat(lines).hasSizeGreaterThan(10);
    Path folder = TokenizerFixtures.unpack(name, temporary);
    try (Tokenizer tokenizer = Tokenizers.load(folder, false)) {
      for (int i = 0; i < lines.size(); i++) {
        String line = lines.get(i).string();
        int[] ids = more.at("ids").elements().get(i).ints();
        assertThat(tokenizer.encode(line, true).ids()).as(line).isEqualTo(ids);
        List<Json> decoded = more.at("decoded").elements().get(i).elements();
        assertThat(tokenizer.decode(ids, false)).as(line).isEqualTo(decoded.get(0).string());
        assertThat(tokenizer.decode(ids, true)).as(line).isEqualTo(decoded.get(1).string());
      }
    }
  }
}
