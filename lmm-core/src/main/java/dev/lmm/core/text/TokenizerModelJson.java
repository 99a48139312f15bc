package dev.lmm.core.text;

import dev.lmm.CheckpointException;
import dev.lmm.core.json.Json;
import dev.lmm.core.text.SentencePieceModel.Algorithm;
import dev.lmm.core.text.SentencePieceModel.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A {@code tokenizer.model} of sentencepiece as a tokenizer.json, in the forms of {@code
 * LlamaTokenizer} and of the class that transformers takes where it knows no better.
 *
 * <p>Source: what transformers makes of such files, checked by goldens.
 */
final class TokenizerModelJson {
  private static final String BLANK = "\u2581";

  /**
   * How long all merges together may be, for each character of the vocabulary and beside {@link
   * #FREE_CHARACTERS}. Published vocabularies have two to three merges a piece.
   */
  private static final int MOST_MERGED = 16;

  private static final int FREE_CHARACTERS = 1 << 20;

  /** How many characters may be looked at to find the merges: Gemma's vocabulary takes 2^25. */
  private static final long MOST_WORK = 1L << 28;

  private final Path file;
  private final SentencePieceModel model;
  private final Json config;

  private TokenizerModelJson(Path file, SentencePieceModel model, Json config) {
    this.file = file;
    this.model = model;
    this.config = config;
  }

  /** Llama: BPE with pieces for bytes, a mark for a blank before the text, nothing normalised. */
  static Map<String, ?> llama(Path file, Json config) {
    SentencePieceModel model = SentencePieceModel.read(file, Algorithm.BPE, "LlamaTokenizer");
    return new TokenizerModelJson(file, model, config).llama();
  }

  /** BPE or unigram, blanks become marks, no mark before the text. */
  static Map<String, ?> plain(Path file, Json config) {
    SentencePieceModel model = SentencePieceModel.read(file);
    return new TokenizerModelJson(file, model, config).plain();
  }

  private Map<String, ?> llama() {
    boolean blankFirst = config.boolAt("add_prefix_space", true);
    String scheme = config.boolAt("legacy", false) ? "always" : "first";
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("version", "1.0");
    json.put("added_tokens", addedTokens());
    json.put("pre_tokenizer", SentencePieceJson.metaspace(blankFirst ? scheme : "never", false));
    json.put("post_processor", aroundText());
    json.put("decoder", decoder(true, blankFirst));
    json.put("model", bpe(null, true));
    return json;
  }

  private Map<String, ?> plain() {
    List<Object> normalizers = new ArrayList<>();
    Object charsMap = SentencePieceJson.charsMap(model, file);
    if (charsMap != null) {
      normalizers.add(charsMap);
    }
    normalizers.add(Map.of("type", "Replace", "pattern", Map.of("String", " "), "content", BLANK));
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("version", "1.0");
    json.put("added_tokens", addedTokens());
    json.put("normalizer", Map.of("type", "Sequence", "normalizers", normalizers));
    json.put("post_processor", aroundText());
    json.put("decoder", decoder(model.byteFallback(), false));
    switch (model.algorithm()) {
      case BPE -> json.put("model", bpe(model.pieces().get(model.unknown()), model.byteFallback()));
      case UNIGRAM ->
          json.put(
              "model",
              Map.of(
                  "type",
                  "Unigram",
                  "unk_id",
                  model.unknown(),
                  "vocab",
                  SentencePieceJson.vocabulary(model),
                  "byte_fallback",
                  model.byteFallback()));
      default ->
          throw new CheckpointException(
              file
                  + ": trainer_spec.model_type is "
                  + model.algorithm()
                  + "; expected UNIGRAM or BPE");
    }
    return json;
  }

  private static Object decoder(boolean bytes, boolean stripFirst) {
    List<Object> decoders = new ArrayList<>();
    decoders.add(Map.of("type", "Replace", "pattern", Map.of("String", BLANK), "content", " "));
    if (bytes) {
      decoders.add(Map.of("type", "ByteFallback"));
      decoders.add(Map.of("type", "Fuse"));
    }
    if (stripFirst) {
      decoders.add(Map.of("type", "Strip", "content", " ", "start", 1, "stop", 0));
    }
    return Map.of("type", "Sequence", "decoders", decoders);
  }

  // Added tokens.

  /** Control pieces and those that users of sentencepiece defined, then what the config names. */
  private List<Object> addedTokens() {
    Map<String, Object> added = new LinkedHashMap<>();
    for (int id = 0; id < model.pieces().size(); id++) {
      Kind kind = model.kinds().get(id);
      if (kind == Kind.CONTROL || kind == Kind.USER_DEFINED) {
        String piece = model.pieces().get(id);
        Map<String, Object> token = SentencePieceJson.special(id, piece, false);
        token.put("special", kind == Kind.CONTROL);
        added.put(piece, token);
      }
    }
    for (String name : List.of("bos_token", "eos_token", "unk_token", "pad_token")) {
      String content = named(name);
      if (content != null) {
        added.put(content, SentencePieceJson.special(id(name, content), content, false));
      }
    }
    return List.copyOf(added.values());
  }

  private @Nullable String named(String name) {
    if (!config.hasValue(name)) {
      return model.named().get(name);
    }
    Json token = config.at(name);
    return token.isObject() ? token.stringAt("content") : token.string();
  }

  private int id(String name, String content) {
    int id = model.pieces().indexOf(content);
    if (id < 0) {
      throw new CheckpointException(
          file
              + ": lacks "
              + content
              + ", which is the "
              + name
              + (config.hasValue(name) ? " of " + config.source() : " of trainer_spec"));
    }
    return id;
  }

  /** The template that puts {@code bos_token} and {@code eos_token} around a text, as asked for. */
  private Object aroundText() {
    List<Object> template = new ArrayList<>();
    template.add(Map.of("Sequence", Map.of("id", "A", "type_id", 0)));
    Map<String, Object> specials = new LinkedHashMap<>();
    if (config.boolAt("add_bos_token", false)) {
      put("bos_token", 0, template, specials);
    }
    if (config.boolAt("add_eos_token", false)) {
      put("eos_token", template.size(), template, specials);
    }
    return Map.of(
        "type",
        "TemplateProcessing",
        "single",
        template,
        "pair",
        template,
        "special_tokens",
        specials);
  }

  private void put(String name, int at, List<Object> template, Map<String, Object> specials) {
    String token = named(name);
    if (token != null) {
      template.add(at, Map.of("SpecialToken", Map.of("id", token, "type_id", 0)));
      List<Integer> ids = List.of(id(name, token));
      specials.put(token, Map.of("id", token, "ids", ids, "tokens", List.of(token)));
    }
  }

  // BPE.

  private Object bpe(@Nullable String unknown, boolean byteFallback) {
    Map<String, Integer> ids = new LinkedHashMap<>();
    for (int id = 0; id < model.pieces().size(); id++) {
      String piece = model.pieces().get(id);
      if (ids.putIfAbsent(piece, id) != null) {
        throw new CheckpointException(
            file + ": pieces[" + id + "] is \"" + piece + "\" once more; expected each piece once");
      }
    }
    Map<String, @Nullable Object> bpe = new LinkedHashMap<>();
    bpe.put("type", "BPE");
    bpe.put("unk_token", unknown);
    bpe.put("fuse_unk", true);
    bpe.put("byte_fallback", byteFallback);
    bpe.put("vocab", ids);
    bpe.put("merges", merges(ids));
    return bpe;
  }

  /**
   * Sentencepiece stores no merges. Every way to make a piece of two others is one, and ranks as
   * the piece does; of one piece, that with the shorter first half comes first.
   */
  private List<List<String>> merges(Map<String, Integer> ids) {
    List<List<String>> merges = new ArrayList<>();
    long room = FREE_CHARACTERS;
    // Halves are looked up in the strings that the vocabulary has already.
    Map<String, String> known = new HashMap<>();
    // A long piece costs nothing where no other is as long as one of its halves.
    BitSet lengths = new BitSet();
    for (String piece : ids.keySet()) {
      known.put(piece, piece);
      lengths.set(piece.length());
      room += (long) MOST_MERGED * piece.length();
    }
    long work = 0;
    for (String piece : model.pieces()) {
      for (int at = lengths.nextSetBit(1);
          at > 0 && at < piece.length();
          at = lengths.nextSetBit(at + 1)) {
        if (!lengths.get(piece.length() - at) || Character.isLowSurrogate(piece.charAt(at))) {
          continue;
        }
        work += piece.length();
        if (work > MOST_WORK) {
          throw new CheckpointException(
              file
                  + ": has a piece of "
                  + piece.length()
                  + " characters among many; is it damaged?");
        }
        String left = known.get(piece.substring(0, at));
        String right = left == null ? null : known.get(piece.substring(at));
        if (left != null && right != null) {
          merges.add(List.of(left, right));
          room -= piece.length();
        }
      }
      if (room < 0) {
        throw new CheckpointException(
            file
                + ": its "
                + model.pieces().size()
                + " pieces can be merged in over "
                + merges.size()
                + " ways; is it damaged?");
      }
    }
    return merges;
  }
}
