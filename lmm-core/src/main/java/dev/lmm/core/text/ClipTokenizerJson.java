package dev.lmm.core.text;

import dev.lmm.CheckpointException;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * CLIP's byte-level BPE as a tokenizer.json, from vocab.json and merges.txt: NFC, white space to
 * one blank, lower case, words split by CLIP's pattern, {@code </w>} at the end of each.
 */
final class ClipTokenizerJson {
  private static final String WORDS =
      "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

  private ClipTokenizerJson() {}

  static Object of(Path folder, Path vocabularyFile, Path mergesFile) {
    Json vocabulary = Json.parse(vocabularyFile);
    Json special = special(folder);
    String bos = token(special, "bos_token", "<|startoftext|>");
    String eos = token(special, "eos_token", "<|endoftext|>");
    String unknown = token(special, "unk_token", "<|endoftext|>");
    String pad = token(special, "pad_token", "<|endoftext|>");
    Map<String, Long> ids = new LinkedHashMap<>();
    for (String piece : vocabulary.keys()) {
      ids.put(piece, vocabulary.longAt(piece));
    }
    List<Object> added = new ArrayList<>();
    for (String name : List.of("bos_token", "eos_token", "unk_token", "pad_token")) {
      String content =
          switch (name) {
            case "bos_token" -> bos;
            case "eos_token" -> eos;
            case "unk_token" -> unknown;
            default -> pad;
          };
      Long id = ids.get(content);
      if (id == null) {
        throw new CheckpointException(
            vocabularyFile + ": lacks " + content + ", which is the " + name);
      }
      if (added.stream().noneMatch(a -> ((Map<?, ?>) a).get("content").equals(content))) {
        added.add(added(special, name, content, id));
      }
    }
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("version", "1.0");
    json.put("added_tokens", added);
    json.put(
        "normalizer",
        Map.of(
            "type",
            "Sequence",
            "normalizers",
            List.of(
                Map.of("type", "NFC"),
                Map.of("type", "Replace", "pattern", Map.of("Regex", "\\s+"), "content", " "),
                Map.of("type", "Lowercase"))));
    json.put(
        "pre_tokenizer",
        Map.of(
            "type",
            "Sequence",
            "pretokenizers",
            List.of(
                Map.of(
                    "type",
                    "Split",
                    "pattern",
                    Map.of("Regex", WORDS),
                    "behavior",
                    "Removed",
                    "invert",
                    true),
                Map.of(
                    "type",
                    "ByteLevel",
                    "add_prefix_space",
                    false,
                    "trim_offsets",
                    true,
                    "use_regex",
                    true))));
    json.put(
        "post_processor",
        Map.of(
            "type",
            "RobertaProcessing",
            "sep",
            List.of(eos, ids.get(eos)),
            "cls",
            List.of(bos, ids.get(bos)),
            "trim_offsets",
            false,
            "add_prefix_space",
            false));
    json.put(
        "decoder",
        Map.of(
            "type",
            "ByteLevel",
            "add_prefix_space",
            true,
            "trim_offsets",
            true,
            "use_regex",
            true));
    Map<String, @Nullable Object> model = new LinkedHashMap<>();
    model.put("type", "BPE");
    model.put("unk_token", unknown);
    model.put("continuing_subword_prefix", "");
    model.put("end_of_word_suffix", "</w>");
    model.put("fuse_unk", false);
    model.put("vocab", ids);
    model.put("merges", merges(mergesFile));
    json.put("model", model);
    return json;
  }

  private static List<String> merges(Path file) {
    try {
      List<String> merges = new ArrayList<>();
      for (String line : Files.readAllLines(file)) {
        if (!line.isBlank() && !line.startsWith("#version")) {
          merges.add(line.stripTrailing());
        }
      }
      return merges;
    } catch (IOException e) {
      throw new CheckpointException(file + ": cannot be read as UTF-8: " + e.getMessage(), e);
    }
  }

  /** What the tokenizer's class is told: tokenizer_config.json over special_tokens_map.json. */
  private static Json special(Path folder) {
    for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
      Path file = folder.resolve(name);
      if (Files.isRegularFile(file)) {
        return Json.parse(file);
      }
    }
    return Json.parse("{}".getBytes(StandardCharsets.UTF_8), "defaults");
  }

  private static String token(Json special, String name, String absent) {
    if (!special.hasValue(name)) {
      return absent;
    }
    Json token = special.at(name);
    return token.isObject() ? token.stringAt("content") : token.string();
  }

  private static Object added(Json special, String name, String content, long id) {
    Json token = special.hasValue(name) ? special.at(name) : null;
    boolean object = token != null && token.isObject();
    Map<String, Object> added = new LinkedHashMap<>();
    added.put("id", id);
    added.put("content", content);
    added.put("single_word", object && token.boolAt("single_word", false));
    added.put("lstrip", object && token.boolAt("lstrip", false));
    added.put("rstrip", object && token.boolAt("rstrip", false));
    added.put("normalized", object && token.boolAt("normalized", false));
    added.put("special", true);
    return added;
  }
}
