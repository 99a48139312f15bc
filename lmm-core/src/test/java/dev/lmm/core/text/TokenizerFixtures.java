package dev.lmm.core.text;

import dev.lmm.core.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/** The committed tokenizers and what the reference made of a thousand lines. */
public final class TokenizerFixtures {
  /** The goldens' names. */
  public static final List<String> NAMES =
      List.of(
          "clip",
          "siglip-t5",
          "siglip-fixture",
          "gemma",
          "gemma-cased",
          "qwen2.5",
          "t5",
          "bert",
          "opt",
          "opt-image",
          "t5-image",
          "bert-dec");

  static final Path ROOT = Path.of("src/test/resources/golden/tokenizers");

  /** Goldens whose tokenizer's files lie under another's name. */
  private static final Map<String, String> FOLDERS =
      Map.of("siglip-t5", "t5", "gemma-cased", "gemma");

  /** Goldens whose vocabulary lies under another's name, their own folder holding the rest. */
  private static final Map<String, String> BASES =
      Map.of("opt-image", "opt", "t5-image", "t5", "bert-dec", "bert");

  private TokenizerFixtures() {}

  /** The thousand lines. */
  public static List<String> lines() throws IOException {
    return Json.parse(unzipped(ROOT.resolve("lines.json.gz")), "lines").elements().stream()
        .map(Json::string)
        .toList();
  }

  /** The reference's ids of each line. */
  public static List<int[]> ids(String name) throws IOException {
    return Json.parse(unzipped(ROOT.resolve(name + ".json.gz")), name).at("ids").elements().stream()
        .map(Json::ints)
        .toList();
  }

  /** The class of transformers that made the ids. */
  public static String tokenizerClass(String name) throws IOException {
    return Json.parse(unzipped(ROOT.resolve(name + ".json.gz")), name).stringAt("class");
  }

  /** A few lines of the tokenizer's own: lines, ids, and the texts decoded from the ids. */
  static Json more(String name) throws IOException {
    return Json.parse(unzipped(ROOT.resolve(name + ".json.gz")), name).at("more");
  }

  /** The tokenizer's files, unpacked, with the class where its files leave it open. */
  public static Path unpack(String name, Path target) throws IOException {
    if (BASES.containsKey(name)) {
      copy(ROOT.resolve("files").resolve(BASES.get(name)), target);
    }
    copy(ROOT.resolve("files").resolve(FOLDERS.getOrDefault(name, name)), target);
    if (name.startsWith("siglip")) {
      Files.writeString(
          target.resolve("tokenizer_config.json"), "{\"tokenizer_class\":\"SiglipTokenizer\"}");
    }
    return target;
  }

  private static void copy(Path source, Path target) throws IOException {
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.toList()) {
        String plain = file.getFileName().toString();
        if (plain.endsWith(".gz")) {
          Files.write(target.resolve(plain.substring(0, plain.length() - 3)), unzipped(file));
        } else {
          Files.copy(file, target.resolve(plain), StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
  }

  private static byte[] unzipped(Path file) throws IOException {
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
      return in.readAllBytes();
    }
  }
}
