package dev.lmm.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A thousand lines of mixed scripts through every layout: the ids of transformers. */
class TokenizerGoldenTest {
  private static final Path ROOT = Path.of("src/test/resources/golden/tokenizers");

  /**
   * The files of each golden's tokenizer, and what a tokenizer_config.json would say of its class.
   */
  private static final Map<String, String> FOLDERS =
      Map.of("siglip-t5", "t5", "gemma-cased", "gemma");

  @TempDir Path temporary;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "clip",
        "siglip-t5",
        "siglip-fixture",
        "gemma",
        "gemma-cased",
        "qwen2.5",
        "t5",
        "bert"
      })
  void idsEqualTheReference(String name) throws IOException {
    List<Json> lines = Json.parse(unzipped(ROOT.resolve("lines.json.gz")), "lines").elements();
    List<Json> expected =
        Json.parse(unzipped(ROOT.resolve(name + ".json.gz")), name).at("ids").elements();
    assertThat(lines).hasSize(1000).hasSameSizeAs(expected);
    List<String> wrong = new ArrayList<>();
    try (Tokenizer tokenizer = Tokenizers.load(folder(name), name.equals("gemma"))) {
      for (int i = 0; i < lines.size(); i++) {
        int[] ids = tokenizer.encode(lines.get(i).string(), true).ids();
        if (!Arrays.equals(ids, expected.get(i).ints())) {
          wrong.add(
              lines.get(i).string()
                  + ": "
                  + Arrays.toString(ids)
                  + " instead of "
                  + Arrays.toString(expected.get(i).ints()));
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  /** The tokenizer's files, unpacked, with the class where its files leave it open. */
  private Path folder(String name) throws IOException {
    Path source = ROOT.resolve("files").resolve(FOLDERS.getOrDefault(name, name));
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.toList()) {
        String target = file.getFileName().toString();
        if (target.endsWith(".gz")) {
          Files.write(temporary.resolve(target.substring(0, target.length() - 3)), unzipped(file));
        } else {
          Files.copy(file, temporary.resolve(target));
        }
      }
    }
    if (name.startsWith("siglip")) {
      Files.writeString(
          temporary.resolve("tokenizer_config.json"), "{\"tokenizer_class\":\"SiglipTokenizer\"}");
    }
    return temporary;
  }

  private static byte[] unzipped(Path file) throws IOException {
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
      return in.readAllBytes();
    }
  }
}
