package dev.lmm.core.text;

import dev.lmm.CheckpointException;
import dev.lmm.core.json.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/**
 * Tokens that a checkpoint adds behind its vocabulary, BLIP-2's {@code <image>} and {@code [DEC]}
 * among them: from {@code added_tokens_decoder} of tokenizer_config.json, else added_tokens.json.
 */
final class AddedTokens {
  private AddedTokens() {}

  /**
   * Puts them into a tokenizer.json.
   *
   * @param json the tokenizer.json made from the vocabulary's files
   * @param folder where they lie
   * @param config tokenizer_config.json, or what stands for it
   * @return the same with the tokens
   * @throws CheckpointException if a token has another id than its place gives it: the native
   *     library would number it anew without a word
   */
  static Map<String, ?> with(Map<String, ?> json, Path folder, Json config) {
    Map<String, Object> tokens = new LinkedHashMap<>();
    if (json.get("added_tokens") instanceof List<?> listed) {
      for (Object token : listed) {
        if (token instanceof Map<?, ?> map && map.get("content") instanceof String content) {
          tokens.put(content, token);
        }
      }
    }
    Vocabulary vocabulary = Vocabulary.of(json, folder.toString());
    int next = vocabulary.size();
    for (Added token : declared(folder, config)) {
      OptionalInt known = vocabulary.id(token.content);
      int expected = known.orElse(next);
      if (token.id != expected) {
        throw new CheckpointException(
            "%s: %s gives the token %s the id %d; expected %d, %s"
                .formatted(
                    token.place.source(),
                    token.place.place(),
                    token.content,
                    token.id,
                    expected,
                    known.isPresent()
                        ? "which it has in the vocabulary"
                        : "the first behind the vocabulary; do the tokenizer's files belong"
                            + " together?"));
      }
      if (known.isEmpty()) {
        next++;
      }
      tokens.put(token.content, token.flags);
    }
    Map<String, Object> extended = new LinkedHashMap<>(json);
    extended.put("added_tokens", new ArrayList<>(tokens.values()));
    return extended;
  }

  private record Added(long id, String content, Map<String, Object> flags, Json place) {}

  private static List<Added> declared(Path folder, Json config) {
    Map<Long, Added> byId = new TreeMap<>();
    Path file = folder.resolve("added_tokens.json");
    if (config.hasValue("added_tokens_decoder")) {
      Json decoder = config.at("added_tokens_decoder");
      for (String key : decoder.keys()) {
        Json token = decoder.at(key);
        long id;
        try {
          id = Long.parseLong(key);
        } catch (NumberFormatException e) {
          throw token.unexpected("a key that is a token id");
        }
        String content = token.stringAt("content");
        byId.put(id, new Added(id, content, flags(token, content, id), token));
      }
    } else if (Files.isRegularFile(file)) {
      Set<String> special = new HashSet<>();
      if (config.hasValue("additional_special_tokens")) {
        for (Json token : config.at("additional_special_tokens").elements()) {
          special.add(token.isObject() ? token.stringAt("content") : token.string());
        }
      }
      Json added = Json.parse(file);
      for (String content : added.keys()) {
        long id = added.longAt(content);
        boolean control = special.contains(content);
        Map<String, Object> flags = SentencePieceJson.special(id, content, !control);
        flags.put("special", control);
        if (byId.put(id, new Added(id, content, flags, added.at(content))) != null) {
          throw added.at(content).unexpected("an id of its own");
        }
      }
    }
    return List.copyOf(byId.values());
  }

  /**
   * A token as {@code added_tokens_decoder} describes it.
   *
   * @param token its entry
   * @param content its text
   * @param id its id
   * @return its entry in a tokenizer.json
   */
  static Map<String, Object> flags(Json token, String content, long id) {
    Map<String, Object> flags =
        SentencePieceJson.special(id, content, token.boolAt("normalized", false));
    flags.put("single_word", token.boolAt("single_word", false));
    flags.put("lstrip", token.boolAt("lstrip", false));
    flags.put("rstrip", token.boolAt("rstrip", false));
    flags.put("special", token.boolAt("special", false));
    return flags;
  }
}
