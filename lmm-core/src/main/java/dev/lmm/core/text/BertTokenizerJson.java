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

/** BERT's word pieces as a tokenizer.json, from vocab.txt. */
final class BertTokenizerJson {
  private BertTokenizerJson() {}

  static Map<String, ?> of(Path vocabularyFile, Json config) {
    Map<String, Integer> ids = new LinkedHashMap<>();
    SmallFile.text(vocabularyFile).lines().forEach(line -> ids.putIfAbsent(line, ids.size()));
    List<Object> added = new ArrayList<>();
    for (String special : List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")) {
      Integer id = ids.get(special);
      if (id != null) {
        added.add(SentencePieceJson.special(id, special, false));
      }
    }
    Integer cls = ids.get("[CLS]");
    Integer sep = ids.get("[SEP]");
    if (cls == null || sep == null || !ids.containsKey("[UNK]")) {
      throw new CheckpointException(vocabularyFile + ": lacks [CLS], [SEP] or [UNK]");
    }
    boolean lower = config.boolAt("do_lower_case", true);
    Map<String, @Nullable Object> normalizer = new LinkedHashMap<>();
    normalizer.put("type", "BertNormalizer");
    normalizer.put("clean_text", true);
    normalizer.put("handle_chinese_chars", config.boolAt("tokenize_chinese_chars", true));
    normalizer.put(
        "strip_accents", config.hasValue("strip_accents") ? config.boolAt("strip_accents") : null);
    normalizer.put("lowercase", lower);
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("version", "1.0");
    json.put("added_tokens", added);
    json.put("normalizer", normalizer);
    json.put("pre_tokenizer", Map.of("type", "BertPreTokenizer"));
    json.put(
        "post_processor",
        Map.of(
            "type",
            "TemplateProcessing",
            "single",
            List.of(token("[CLS]"), sequence(), token("[SEP]")),
            "pair",
            List.of(token("[CLS]"), sequence(), token("[SEP]")),
            "special_tokens",
            Map.of("[CLS]", ids("[CLS]", cls), "[SEP]", ids("[SEP]", sep))));
    json.put("decoder", Map.of("type", "WordPiece", "prefix", "##", "cleanup", true));
    json.put(
        "model",
        Map.of(
            "type",
            "WordPiece",
            "unk_token",
            "[UNK]",
            "continuing_subword_prefix",
            "##",
            "max_input_chars_per_word",
            100,
            "vocab",
            ids));
    return json;
  }

  private static Object token(String name) {
    return Map.of("SpecialToken", Map.of("id", name, "type_id", 0));
  }

  private static Object sequence() {
    return Map.of("Sequence", Map.of("id", "A", "type_id", 0));
  }

  private static Object ids(String name, int id) {
    return Map.of("id", name, "ids", List.of(id), "tokens", List.of(name));
  }
}
