package dev.lmm.core.text;

import dev.lmm.CheckpointException;
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
      return of(adjusted(Json.parse(ready), lowerCase), ready.toString());
    }
    Path vocabulary = folder.resolve("vocab.json");
    Path merges = folder.resolve("merges.txt");
    if (Files.isRegularFile(vocabulary) && Files.isRegularFile(merges)) {
      return of(ClipTokenizerJson.of(folder, vocabulary, merges), vocabulary.toString());
    }
    throw new CheckpointException(
        folder
            + ": has no tokenizer; expected tokenizer.json, or vocab.json with merges.txt; is the"
            + " download complete?");
  }

  private static Tokenizer of(Object json, String source) {
    return Tokenizer.of(JsonText.of(json).getBytes(StandardCharsets.UTF_8), source);
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
