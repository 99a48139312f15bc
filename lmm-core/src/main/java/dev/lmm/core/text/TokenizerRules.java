package dev.lmm.core.text;

import dev.lmm.CheckpointException;
import dev.lmm.core.json.Json;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a tokenizer.json must keep to before the native library may see it.
 *
 * <p>The library answers most mistakes with an error, but some with a panic, which ends the whole
 * process: a malformed character map, a template that names a token it does not define, a merge
 * shorter than the prefix it should carry, a pattern that backtracks without end. Those are refused
 * here, by name. Kinds of components that are not known to be safe are refused too.
 */
final class TokenizerRules {
  private static final int MOST_NESTED = 8;

  private static final Set<String> NORMALIZERS =
      Set.of(
          "BertNormalizer",
          "ByteLevel",
          "Lowercase",
          "NFC",
          "NFD",
          "NFKC",
          "NFKD",
          "Nmt",
          "Precompiled",
          "Prepend",
          "Replace",
          "Sequence",
          "Strip",
          "StripAccents");
  private static final Set<String> PRE_TOKENIZERS =
      Set.of(
          "BertPreTokenizer",
          "ByteLevel",
          "CharDelimiterSplit",
          "Digits",
          "FixedLength",
          "Metaspace",
          "Punctuation",
          "Sequence",
          "Split",
          "UnicodeScripts",
          "Whitespace",
          "WhitespaceSplit");
  private static final Set<String> POST_PROCESSORS =
      Set.of("BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence", "TemplateProcessing");
  private static final Set<String> DECODERS =
      Set.of(
          "BPEDecoder",
          "ByteFallback",
          "ByteLevel",
          "CTC",
          "Fuse",
          "Metaspace",
          "Replace",
          "Sequence",
          "Strip",
          "WordPiece");

  private TokenizerRules() {}

  /**
   * Checks a tokenizer.json.
   *
   * @param json the whole file
   * @throws CheckpointException naming the first field that breaks a rule
   */
  static void check(Json json) {
    characters(json.raw(), json.source(), "");
    if (json.hasValue("normalizer")) {
      normalizer(json.at("normalizer"), 0);
    }
    if (json.hasValue("pre_tokenizer")) {
      preTokenizer(json.at("pre_tokenizer"), 0);
    }
    if (json.hasValue("post_processor")) {
      postProcessor(json.at("post_processor"), 0);
    }
    if (json.hasValue("decoder")) {
      decoder(json.at("decoder"), 0);
    }
    model(json.at("model"));
  }

  /** Half a surrogate pair is no character; the library, which keeps UTF-8, ends over it. */
  private static void characters(@Nullable Object value, String source, String place) {
    if (value instanceof String text) {
      whole(text, source, place);
    } else if (value instanceof List<?> list) {
      int i = 0;
      for (Object each : list) {
        characters(each, source, place + "[" + i++ + "]");
      }
    } else if (value instanceof Map<?, ?> map) {
      map.forEach(
          (key, each) -> {
            whole((String) key, source, place);
            if (!(each instanceof Number)) {
              characters(each, source, place + "." + key);
            }
          });
    }
  }

  private static void whole(String text, String source, String place) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isHighSurrogate(text.charAt(i))
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(text.charAt(i))) {
        throw new CheckpointException(
            source
                + ": "
                + (place.isEmpty() ? "a key" : place.substring(1))
                + " holds half a surrogate pair, \\u%04x; expected whole characters"
                    .formatted((int) text.charAt(i)));
      }
    }
  }

  private static void normalizer(Json json, int depth) {
    switch (type(json, NORMALIZERS, depth)) {
      case "Sequence" ->
          json.at("normalizers").elements().forEach(child -> normalizer(child, depth + 1));
      case "Precompiled" -> {
        Json map = json.at("precompiled_charsmap");
        byte[] bytes;
        try {
          bytes = Base64.getDecoder().decode(map.string());
        } catch (IllegalArgumentException e) {
          throw map.unexpected("base64");
        }
        if (bytes.length == 0) {
          throw map.unexpected("a character map");
        }
        new CharsMap(bytes, json.source()).checkEveryPath();
      }
      case "Replace" -> pattern(json.at("pattern"));
      default -> {}
    }
  }

  private static void preTokenizer(Json json, int depth) {
    switch (type(json, PRE_TOKENIZERS, depth)) {
      case "Sequence" ->
          json.at("pretokenizers").elements().forEach(child -> preTokenizer(child, depth + 1));
      case "Split" -> pattern(json.at("pattern"));
      case "FixedLength" -> {
        if (json.hasValue("length") && json.longAt("length") < 1) {
          throw json.at("length").unexpected("a length of at least 1");
        }
      }
      default -> {}
    }
  }

  private static void postProcessor(Json json, int depth) {
    switch (type(json, POST_PROCESSORS, depth)) {
      case "Sequence" ->
          json.at("processors").elements().forEach(child -> postProcessor(child, depth + 1));
      case "TemplateProcessing" -> {
        Json specials = json.at("special_tokens");
        for (String name : specials.keys()) {
          Json special = specials.at(name);
          int ids = special.at("ids").elements().size();
          if (special.at("tokens").elements().size() != ids) {
            throw special.at("tokens").unexpected("as many as there are ids, " + ids);
          }
        }
        template(json.at("single"), specials, Set.of("A"));
        if (json.hasValue("pair")) {
          template(json.at("pair"), specials, Set.of("A", "B"));
        }
      }
      default -> {}
    }
  }

  private static void template(Json pieces, Json specials, Set<String> sequences) {
    for (Json piece : pieces.elements()) {
      if (piece.hasValue("SpecialToken")) {
        Json id = piece.at("SpecialToken").at("id");
        if (!specials.has(id.string())) {
          throw id.unexpected("one of " + specials.place() + ", " + specials.keys());
        }
      } else {
        Json id = piece.at("Sequence").at("id");
        if (!sequences.contains(id.string())) {
          throw id.unexpected("one of " + sequences);
        }
      }
    }
  }

  private static void decoder(Json json, int depth) {
    switch (type(json, DECODERS, depth)) {
      case "Sequence" -> json.at("decoders").elements().forEach(child -> decoder(child, depth + 1));
      case "Replace" -> pattern(json.at("pattern"));
      case "Strip" -> {
        // The library counts back from the end of a token without looking how long it is.
        if (json.longAt("stop") != 0) {
          throw json.at("stop").unexpected("0; stripping the end is not supported");
        }
      }
      default -> {}
    }
  }

  /**
   * The type of a component.
   *
   * @param json the component
   * @param known types that may stand here
   * @param depth how many sequences it lies in
   */
  private static String type(Json json, Set<String> known, int depth) {
    if (depth > MOST_NESTED) {
      throw json.unexpected("no more than " + MOST_NESTED + " sequences in each other");
    }
    Json type = json.at("type");
    if (!known.contains(type.string())) {
      throw type.unexpected("one of " + known.stream().sorted().toList());
    }
    return type.string();
  }

  // Patterns.

  private static void pattern(Json json) {
    if (json.isObject() && json.hasValue("Regex")) {
      Json regex = json.at("Regex");
      String problem = PatternCost.problem(regex.string());
      if (problem != null) {
        throw regex.unexpected("a pattern that cannot run away; this has " + problem);
      }
    }
  }

  // Models.

  private static void model(Json model) {
    String type = modelType(model);
    switch (type) {
      case "BPE" -> merges(model);
      case "Unigram" -> unigram(model);
      case "WordPiece", "WordLevel" -> {
        Json unknown = model.at("unk_token");
        if (!model.at("vocab").has(unknown.string())) {
          throw unknown.unexpected("a piece of " + model.place() + ".vocab");
        }
      }
      default -> throw model.at("type").unexpected("one of [BPE, Unigram, WordLevel, WordPiece]");
    }
  }

  /** The kind of a model; files of 2021 do not say it. */
  private static String modelType(Json model) {
    if (model.hasValue("type")) {
      return model.stringAt("type");
    }
    if (model.has("merges")) {
      return "BPE";
    }
    if (model.at("vocab").isArray()) {
      return "Unigram";
    }
    return model.has("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
  }

  private static void merges(Json model) {
    String prefix = model.stringAt("continuing_subword_prefix", "");
    if (prefix.isEmpty()) {
      return;
    }
    // The library cuts so many bytes off the second half of every merge.
    int at = 0;
    for (Object merge : (List<?>) list(model.at("merges"))) {
      String second =
          merge instanceof String text
              ? text.substring(text.indexOf(' ') + 1)
              : merge instanceof List<?> pair && pair.size() == 2 && pair.get(1) instanceof String s
                  ? s
                  : "";
      if (!second.startsWith(prefix)) {
        throw model
            .at("merges")
            .elements()
            .get(at)
            .unexpected("a second half that begins with " + prefix);
      }
      at++;
    }
  }

  private static void unigram(Json model) {
    Json unknown = model.at("unk_id");
    List<?> pieces = list(model.at("vocab"));
    if (unknown.asLong() < 0 || unknown.asLong() >= pieces.size()) {
      throw unknown.unexpected("an id below the number of pieces, " + pieces.size());
    }
    for (int i = 0; i < pieces.size(); i++) {
      if (!(pieces.get(i) instanceof List<?> pair)
          || pair.size() != 2
          || !(pair.get(0) instanceof String)
          || !(pair.get(1) instanceof Number score)
          || !(Math.abs(score.doubleValue()) < 1e30)) {
        throw model.at("vocab").elements().get(i).unexpected("a piece and its finite score");
      }
    }
  }

  private static List<?> list(Json array) {
    return array.raw() instanceof List<?> list ? list : array.elements();
  }
}
