package dev.lmm.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.json.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A thousand lines of mixed scripts through every layout: the ids of transformers. */
class TokenizerGoldenTest {
  @TempDir Path temporary;

  @ParameterizedTest
  @FieldSource("dev.lmm.core.text.TokenizerFixtures#NAMES")
  void idsEqualTheReference(String name) throws IOException {
    List<String> lines = TokenizerFixtures.lines();
    List<int[]> expected = TokenizerFixtures.ids(name);
    assertThat(lines).hasSize(1000).hasSameSizeAs(expected);
    List<String> wrong = new ArrayList<>();
    Path folder = TokenizerFixtures.unpack(name, temporary);
    try (Tokenizer tokenizer = Tokenizers.load(folder, name.equals("gemma"))) {
      for (int i = 0; i < lines.size(); i++) {
        int[] ids = tokenizer.encode(lines.get(i), true).ids();
        if (!Arrays.equals(ids, expected.get(i))) {
          wrong.add(
              lines.get(i)
                  + ": "
                  + Arrays.toString(ids)
                  + " instead of "
                  + Arrays.toString(expected.get(i)));
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  /** Tokens that BLIP-2's checkpoints add, there and back. */
  @ParameterizedTest
  @ValueSource(strings = {"opt", "opt-image", "t5-image", "bert-dec"})
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
