package dev.lmm.core.text;

import dev.lmm.core.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/** The committed tokenizers and what the reference made of five thousand lines. */
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
          "bert-dec",
          "llama",
          "llama-legacy",
          "pieces-bpe",
          "pieces-unigram");

  static final Path ROOT = Path.of("src/test/resources/golden/tokenizers");

  /** Goldens whose tokenizer's files lie under another's name. */
  private static final Map<String, String> FOLDERS =
      Map.of("siglip-t5", "t5", "gemma-cased", "gemma");

  /** Goldens whose vocabulary lies under another's name, their own folder holding the rest. */
  private static final Map<String, String> BASES =
      Map.of("opt-image", "opt", "t5-image", "t5", "bert-dec", "bert", "llama-legacy", "llama");

  private TokenizerFixtures() {}

  /** The first thousand lines, of which the goldens hold the ids themselves. */
  public static List<String> lines() throws IOException {
    return allLines().subList(0, 1000);
  }

  private static List<String> all = List.of();

  /** All five thousand lines, the last two of a hundred thousand bytes each. */
  public static synchronized List<String> allLines() throws IOException {
    if (all.isEmpty()) {
      List<String> lines = new ArrayList<>(stored());
      String blanks = joined(lines, true);
      String none = joined(lines, false);
      lines.add(blanks);
      lines.add(none);
      all = List.copyOf(lines);
    }
    return all;
  }

  private static List<String> stored() throws IOException {
    return Json.parse(unzipped(ROOT.resolve("lines.json.gz")), "lines").elements().stream()
        .map(Json::string)
        .toList();
  }

  private static String joined(List<String> lines, boolean blanks) {
    StringBuilder joined = new StringBuilder();
    int bytes = 0;
    for (int i = 0; bytes < 100_000; i++) {
      StringBuilder part = new StringBuilder();
      for (char c : lines.get(i).toCharArray()) {
        if (blanks || !SiglipText.isSpace(c)) {
          part.append(c);
        }
      }
      joined.append(part);
      bytes += part.toString().getBytes(StandardCharsets.UTF_8).length;
    }
    return joined.toString();
  }

  /**
   * Gathers values and compares them with what the reference made of all lines: two bytes of each
   * hash, and one hash over all.
   */
  private static final class Comparison {
    private final byte[] each;
    private final String all;
    private final MessageDigest digest = sha256();
    private int next;
    private int equal;

    Comparison(Json hashes) {
      this.each = Base64.getDecoder().decode(hashes.stringAt("each"));
      this.all = hashes.stringAt("all");
    }

    int count() {
      return each.length / 2;
    }

    /** Takes the value of the next line, and says whether it is the reference's. */
    boolean accept(String value) {
      byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
      digest.update(bytes);
      digest.update((byte) 0xff);
      byte[] hash = sha256().digest(bytes);
      boolean same = hash[0] == each[2 * next] && hash[1] == each[2 * next + 1];
      next++;
      equal += same ? 1 : 0;
      return same;
    }

    /** The lines that are equal; all of them only if the hash over all is, too. */
    int equal() {
      boolean whole = HexFormat.of().formatHex(digest.digest()).equals(all);
      return whole ? next : Math.min(equal, next - 1);
    }

    private static MessageDigest sha256() {
      try {
        return MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new AssertionError(e);
      }
    }
  }

  /**
   * What a tokenizer makes of all lines beside the reference; of the first thousand, if another
   * tokenizer has the same vocabulary in the same layout.
   *
   * @param lines how many
   * @param ids lines with equal ids
   * @param texts lines whose ids are decoded to equal texts; -1 if the reference's class has none
   * @param wrong what differs, line by line
   */
  public record Result(int lines, int ids, int texts, List<String> wrong) {}

  private static final Map<String, Result> RESULTS = new ConcurrentHashMap<>();

  /** Encodes and decodes all lines; once, however often it is asked for. */
  public static Result compare(String name) {
    return RESULTS.computeIfAbsent(
        name,
        key -> {
          try {
            Path folder = Files.createTempDirectory("lmm-tokenizer");
            try {
              return compare(name, unpack(name, folder));
            } finally {
              try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                  Files.delete(file);
                }
              }
              Files.delete(folder);
            }
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private static Result compare(String name, Path folder) throws IOException {
    Json golden = Json.parse(unzipped(ROOT.resolve(name + ".json.gz")), name);
    List<Json> first = golden.at("ids").elements();
    Comparison ids = new Comparison(golden.at("hashes"));
    Comparison texts = golden.hasValue("decoded") ? new Comparison(golden.at("decoded")) : null;
    List<String> wrong = new ArrayList<>();
    List<String> lines = allLines().subList(0, ids.count());
    try (Tokenizer tokenizer = Tokenizers.load(folder, name.equals("gemma"))) {
      for (int i = 0; i < lines.size(); i++) {
        int[] found = tokenizer.encode(lines.get(i), true).ids();
        if (!ids.accept(spelt(found))
            || (i < first.size() && !Arrays.equals(found, first.get(i).ints()))) {
          wrong.add(i + ", " + lines.get(i) + ": " + Arrays.toString(found));
        }
        String text = texts == null ? "" : tokenizer.decode(found, true);
        if (texts != null && !texts.accept(text)) {
          wrong.add(i + ", " + lines.get(i) + ": decoded to " + text);
        }
      }
    }
    return new Result(lines.size(), ids.equal(), texts == null ? -1 : texts.equal(), wrong);
  }

  /** Ids as the goldens' hashes take them. */
  private static String spelt(int[] ids) {
    return Arrays.stream(ids).mapToObj(Integer::toString).collect(Collectors.joining(" "));
  }

  /** The reference's ids of each of the first thousand lines. */
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
