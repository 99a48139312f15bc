package dev.lmm.core.text;

import dev.lmm.CheckpointException;
import dev.lmm.InvalidRequestException;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.json.Json;
import dev.lmm.core.json.JsonText;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Loads the tokenizer of a checkpoint folder as the reference does: tokenizer.json where there is
 * one (its frozen cutting and padding ignored), else made in memory from the layout the folder has.
 */
public final class Tokenizers {
  private Tokenizers() {}

  /**
   * Loads a tokenizer.
   *
   * @param folder the checkpoint's folder, or its tokenizer's
   * @param lowerCase whether texts are lower-cased, character by character, before anything else
   * @return the tokenizer, to be closed
   * @throws CheckpointException if the folder has none, or a file is broken
   */
  public static Tokenizer load(Path folder, boolean lowerCase) {
    Path ready = folder.resolve("tokenizer.json");
    if (Files.isRegularFile(ready)) {
      Json json = Json.parse(ready);
      TokenizerRules.check(json);
      return of(adjusted(json, lowerCase), ready.toString(), endOfWord(json));
    }
    Json config = config(folder);
    Path vocabulary = folder.resolve("vocab.json");
    Path merges = folder.resolve("merges.txt");
    if (Files.isRegularFile(vocabulary) && Files.isRegularFile(merges)) {
      String tokenizerClass = config.stringAt("tokenizer_class", "CLIPTokenizer");
      return switch (tokenizerClass) {
        case "CLIPTokenizer", "CLIPTokenizerFast" ->
            of(
                ByteLevelTokenizerJson.clip(vocabulary, merges, config),
                vocabulary.toString(),
                ByteLevelTokenizerJson.CLIP_END_OF_WORD);
        case "Qwen2Tokenizer", "Qwen2TokenizerFast" ->
            of(ByteLevelTokenizerJson.qwen2(vocabulary, merges, config), vocabulary.toString());
        default ->
            throw new UnsupportedModelException(
                folder
                    + ": tokenizer_class is "
                    + tokenizerClass
                    + "; with vocab.json and merges.txt only CLIPTokenizer and Qwen2Tokenizer are"
                    + " known");
      };
    }
    Path pieces = folder.resolve("spiece.model");
    if (Files.isRegularFile(pieces)) {
      if (config.stringAt("tokenizer_class", "T5Tokenizer").startsWith("Siglip")) {
        SentencePieceModel model = SentencePieceModel.read(pieces);
        return Tokenizer.of(
            bytes(SentencePieceJson.siglip(model), pieces.toString()),
            pieces.toString(),
            new SiglipText(model, pieces),
            "");
      }
      return of(SentencePieceJson.t5(pieces, config.intAt("extra_ids", 100)), pieces.toString());
    }
    Path words = folder.resolve("vocab.txt");
    if (Files.isRegularFile(words)) {
      return of(BertTokenizerJson.of(words, config), words.toString());
    }
    throw new CheckpointException(
        folder
            + ": has no tokenizer; expected tokenizer.json, vocab.json with merges.txt, spiece.model or"
            + " vocab.txt; is the download complete?");
  }

  /** What the tokenizer's class is told: tokenizer_config.json, else special_tokens_map.json. */
  private static Json config(Path folder) {
    for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
      Path file = folder.resolve(name);
      if (Files.isRegularFile(file)) {
        return Json.parse(file);
      }
    }
    return Json.parse("{}".getBytes(StandardCharsets.UTF_8), "defaults");
  }

  /** Only CLIP marks where words end, and its class takes the marks away when it decodes. */
  private static String endOfWord(Json json) {
    return json.at("model").stringAt("end_of_word_suffix", "");
  }

  private static Tokenizer of(Object json, String source) {
    return of(json, source, "");
  }

  private static Tokenizer of(Object json, String source, String endOfWord) {
    return Tokenizer.of(bytes(json, source), source, null, endOfWord);
  }

  private static byte[] bytes(Object json, String source) {
    try {
      return JsonText.of(json).getBytes(StandardCharsets.UTF_8);
    } catch (InvalidRequestException e) {
      throw new CheckpointException(source + ": holds a number that is none: " + e.getMessage(), e);
    }
  }

  private static Object adjusted(Json json, boolean lowerCase) {
    Map<String, @Nullable Object> changed = new LinkedHashMap<>();
    for (String key : json.keys()) {
      changed.put(key, json.at(key).raw());
    }
    changed.put("truncation", null);
    changed.put("padding", null);
    if (lowerCase) {
      Object normalizer = changed.get("normalizer");
      Object lower = Map.of("type", "Lowercase");
      changed.put(
          "normalizer",
          normalizer == null
              ? lower
              : Map.of("type", "Sequence", "normalizers", List.of(lower, normalizer)));
    }
    return changed;
  }
}
