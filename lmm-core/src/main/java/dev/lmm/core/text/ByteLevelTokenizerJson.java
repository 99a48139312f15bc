package dev.lmm.core.text;

import dev.lmm.CheckpointException;
import dev.lmm.core.json.Json;
import dev.lmm.core.json.SmallFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Byte-level BPE as a tokenizer.json, from vocab.json and merges.txt: CLIP, Qwen2, GPT-2, OPT. */
final class ByteLevelTokenizerJson {
  static final String CLIP_END_OF_WORD = "</w>";

  private static final String CLIP_WORDS =
      "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

  private static final String QWEN2_WORDS =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
          + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private ByteLevelTokenizerJson() {}

  /**
   * CLIP: NFC, white space to one blank, lower case, words split by CLIP's pattern, {@code </w>} at
   * the end of each.
   */
  static Map<String, ?> clip(Path vocabularyFile, Path mergesFile, Json special) {
    String bos = token(special, "bos_token", "<|startoftext|>");
    String eos = token(special, "eos_token", "<|endoftext|>");
    String unknown = token(special, "unk_token", "<|endoftext|>");
    String pad = token(special, "pad_token", "<|endoftext|>");
    Map<String, Long> ids = vocabulary(vocabularyFile);
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
            List.of(split(CLIP_WORDS, "Removed", true), byteLevel(false, true))));
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
    json.put("decoder", byteLevel(true, true));
    json.put("model", model(ids, mergesFile, unknown, CLIP_END_OF_WORD));
    return json;
  }

  /** Qwen2: NFC, digits one by one, control tokens from {@code added_tokens_decoder}. */
  static Map<String, ?> qwen2(Path vocabularyFile, Path mergesFile, Json config) {
    List<Object> added = new ArrayList<>();
    Json decoder = config.objectOrEmpty("added_tokens_decoder");
    for (String id : decoder.keys()) {
      Json token = decoder.at(id);
      long number;
      try {
        number = Long.parseLong(id);
      } catch (NumberFormatException e) {
        throw token.unexpected("a key that is a token id");
      }
      added.add(AddedTokens.flags(token, token.stringAt("content"), number));
    }
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("version", "1.0");
    json.put("added_tokens", added);
    json.put("normalizer", Map.of("type", "NFC"));
    json.put(
        "pre_tokenizer",
        Map.of(
            "type",
            "Sequence",
            "pretokenizers",
            List.of(
                split(QWEN2_WORDS, "Isolated", false),
                byteLevel(config.boolAt("add_prefix_space", false), false))));
    json.put("decoder", byteLevel(true, true));
    json.put("model", model(vocabulary(vocabularyFile), mergesFile, null, ""));
    return json;
  }

  /**
   * GPT-2, and OPT, which is GPT-2's with ids of its own: bytes as they are typed. Nothing is put
   * around a text, unless {@code add_bos_token}, as OPT has it, asks for {@code bos_token} first.
   */
  static Map<String, ?> gpt2(Path vocabularyFile, Path mergesFile, Json config) {
    Map<String, Long> ids = vocabulary(vocabularyFile);
    Map<String, Object> added = new LinkedHashMap<>();
    for (String name : List.of("bos_token", "eos_token", "unk_token", "pad_token")) {
      if (name.equals("pad_token") && !config.hasValue(name)) {
        continue; // GPT-2 has none
      }
      String content = token(config, name, "<|endoftext|>");
      Long id = ids.get(content);
      if (id == null) {
        throw new CheckpointException(
            vocabularyFile
                + ": lacks "
                + content
                + ", which is the "
                + name
                + (config.hasValue(name) ? " of " + config.source() : " of GPT-2"));
      }
      added.putIfAbsent(content, added(config, name, content, id));
    }
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("version", "1.0");
    json.put("added_tokens", List.copyOf(added.values()));
    json.put("pre_tokenizer", byteLevel(config.boolAt("add_prefix_space", false), true));
    if (config.boolAt("add_bos_token", false)) {
      String bos = token(config, "bos_token", "<|endoftext|>");
      Object first = Map.of("SpecialToken", Map.of("id", bos, "type_id", 0));
      Object text = Map.of("Sequence", Map.of("id", "A", "type_id", 0));
      json.put(
          "post_processor",
          Map.of(
              "type",
              "TemplateProcessing",
              "single",
              List.of(first, text),
              "pair",
              List.of(first, text),
              "special_tokens",
              Map.of(
                  bos, Map.of("id", bos, "ids", List.of(ids.get(bos)), "tokens", List.of(bos)))));
    }
    json.put("decoder", byteLevel(true, true));
    json.put("model", model(ids, mergesFile, null, ""));
    return json;
  }

  private static Object split(String pattern, String behavior, boolean invert) {
    return Map.of(
        "type",
        "Split",
        "pattern",
        Map.of("Regex", pattern),
        "behavior",
        behavior,
        "invert",
        invert);
  }

  private static Object byteLevel(boolean addPrefixSpace, boolean useRegex) {
    return Map.of(
        "type",
        "ByteLevel",
        "add_prefix_space",
        addPrefixSpace,
        "trim_offsets",
        true,
        "use_regex",
        useRegex);
  }

  private static Map<String, Long> vocabulary(Path file) {
    Json vocabulary = Json.parse(file);
    Map<String, Long> ids = new LinkedHashMap<>();
    for (String piece : vocabulary.keys()) {
      ids.put(piece, vocabulary.longAt(piece));
    }
    return ids;
  }

  private static Object model(
      Map<String, Long> ids, Path mergesFile, @Nullable String unknown, String endOfWord) {
    Map<String, @Nullable Object> model = new LinkedHashMap<>();
    model.put("type", "BPE");
    model.put("unk_token", unknown);
    model.put("continuing_subword_prefix", "");
    model.put("end_of_word_suffix", endOfWord);
    model.put("fuse_unk", false);
    model.put("vocab", ids);
    model.put("merges", merges(mergesFile));
    return model;
  }

  private static List<String> merges(Path file) {
    return SmallFile.text(file)
        .lines()
        .filter(line -> !line.isBlank() && !line.startsWith("#version"))
        .map(String::stripTrailing)
        .toList();
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
    Map<String, Object> added =
        token != null && token.isObject()
            ? AddedTokens.flags(token, content, id)
            : SentencePieceJson.special(id, content, false);
    added.put("special", true);
    // Whatever the file says: the reference matches CLIP's special tokens in the text as typed.
    added.put("normalized", false);
    return added;
  }
}
