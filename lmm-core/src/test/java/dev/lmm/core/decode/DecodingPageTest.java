package dev.lmm.core.decode;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.decode.contract.TinyQwen;
import dev.lmm.core.engine.reference.ReferenceEngine;
import dev.lmm.core.json.Json;
import dev.lmm.core.text.Tokenizer;
import dev.lmm.core.text.TokenizerFixtures;
import dev.lmm.core.text.Tokenizers;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/decoding.md shows. */
class DecodingPageTest {
  private static final Path QWEN = Path.of("src/test/resources/golden/decoding/model.safetensors");

  @Test
  void streams(@TempDir Path folder) throws Exception {
    GenerationConfig config =
        GenerationConfig.of(
            Json.parse("{\"eos_token_id\":[5]}".getBytes(StandardCharsets.UTF_8), "the test"));
    int[] ids = {1, 2, 3};
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream before = System.out;
    try (TinyQwen stepModel = new TinyQwen(new ReferenceEngine(), QWEN);
        Tokenizer tokenizer = Tokenizers.loadForChat(TokenizerFixtures.unpack("qwen2.5", folder))) {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      Decoder decoder = new Decoder(stepModel, tokenizer, config.endIds());
      try (Session session = decoder.session();
          TextRun run = session.stream(Prompt.of(ids), config.options().maxTokens(64))) {
        run.forEachRemaining(piece -> System.out.print(piece.text()));
      }
    } finally {
      System.setOut(before);
    }
    assertThat(printed.toString(StandardCharsets.UTF_8)).isNotEmpty();
  }
}
