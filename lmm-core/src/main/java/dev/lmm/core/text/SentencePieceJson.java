package dev.lmm.core.text;

import dev.lmm.CheckpointException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A unigram {@code spiece.model} as a tokenizer.json, in the forms of T5 and of SigLIP. */
final class SentencePieceJson {
  private static final String EOS = "</s>";
  private static final int MOST_EXTRA_IDS = 10_000;

  private SentencePieceJson() {}

  /** T5: words cut at white space, each with a mark before it; {@code </s>} after the text. */
  static Map<String, ?> t5(Path file, int extraIds) {
    if (extraIds < 0 || extraIds > MOST_EXTRA_IDS) {
      throw new CheckpointException(
          file.resolveSibling("tokenizer_config.json")
              + ": extra_ids is "
              + extraIds
              + "; expected 0 to "
              + MOST_EXTRA_IDS);
    }
    SentencePieceModel model =
        SentencePieceModel.read(file, SentencePieceModel.Algorithm.UNIGRAM, "T5's tokenizer");
    List<List<Object>> vocabulary = vocabulary(model);
    List<Object> added = new ArrayList<>();
    for (String special : List.of("<pad>", EOS, "<unk>")) {
      int id = model.pieces().indexOf(special);
      if (id >= 0) {
        added.add(special(id, special, false));
      }
    }
    for (int i = extraIds - 1; i >= 0; i--) {
      String name = "<extra_id_" + i + ">";
      added.add(special(vocabulary.size(), name, false));
      vocabulary.add(List.of(name, 0.0f));
    }
    Map<String, @Nullable Object> json = skeleton(model, vocabulary, added);
    json.put("normalizer", charsMap(model, file));
    json.put(
        "pre_tokenizer",
        Map.of(
            "type",
            "Sequence",
            "pretokenizers",
            List.of(Map.of("type", "WhitespaceSplit"), metaspace("always", true))));
    json.put(
        "post_processor",
        Map.of(
            "type",
            "TemplateProcessing",
            "single",
            List.of(
                Map.of("Sequence", Map.of("id", "A", "type_id", 0)),
                Map.of("SpecialToken", Map.of("id", EOS, "type_id", 0))),
            "pair",
            List.of(Map.of("Sequence", Map.of("id", "A", "type_id", 0))),
            "special_tokens",
            Map.of(
                EOS, Map.of("id", EOS, "ids", List.of(eos(model, file)), "tokens", List.of(EOS)))));
    return json;
  }

  /**
   * SigLIP: the pieces of a stretch of text that {@link SiglipText} has prepared; nothing added.
   */
  static Map<String, ?> siglip(SentencePieceModel model) {
    List<List<Object>> vocabulary = vocabulary(model);
    for (int i = 0; i < vocabulary.size(); i++) {
      if (!model.kinds().get(i).matchable()) {
        // The tokenizers library would find control pieces in text; nobody types this.
        vocabulary.set(i, List.of("\uffff" + i, model.scores().get(i).doubleValue()));
      }
    }
    Map<String, @Nullable Object> json = skeleton(model, vocabulary, List.of());
    json.put("pre_tokenizer", metaspace("never", false));
    return json;
  }

  private static int eos(SentencePieceModel model, Path file) {
    int id = model.pieces().indexOf(EOS);
    if (id < 0) {
      throw new CheckpointException(file + ": has no piece " + EOS);
    }
    return id;
  }

  private static Map<String, @Nullable Object> skeleton(
      SentencePieceModel model, List<List<Object>> vocabulary, List<Object> added) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("version", "1.0");
    json.put("added_tokens", added);
    json.put("decoder", metaspace("always", true));
    json.put(
        "model",
        Map.of(
            "type",
            "Unigram",
            "unk_id",
            model.unknown(),
            "vocab",
            vocabulary,
            "byte_fallback",
            false));
    return json;
  }

  static List<List<Object>> vocabulary(SentencePieceModel model) {
    List<List<Object>> vocabulary = new ArrayList<>(model.pieces().size());
    for (int i = 0; i < model.pieces().size(); i++) {
      // With all digits of the number in 32 bits: sums of scores are compared in 64.
      vocabulary.add(List.of(model.pieces().get(i), model.scores().get(i).doubleValue()));
    }
    return vocabulary;
  }

  static @Nullable Object charsMap(SentencePieceModel model, Path file) {
    new CharsMap(model.charsMap(), file.toString()).checkEveryPath();
    return model.charsMap().length == 0
        ? null
        : Map.of(
            "type",
            "Precompiled",
            "precompiled_charsmap",
            Base64.getEncoder().encodeToString(model.charsMap()));
  }

  static Object metaspace(String prepend, boolean split) {
    return Map.of(
        "type", "Metaspace", "replacement", "\u2581", "prepend_scheme", prepend, "split", split);
  }

  /** A token that is never cut. */
  static Map<String, Object> special(long id, String content, boolean normalized) {
    Map<String, Object> token = new LinkedHashMap<>();
    token.put("id", id);
    token.put("content", content);
    token.put("single_word", false);
    token.put("lstrip", false);
    token.put("rstrip", false);
    token.put("normalized", normalized);
    token.put("special", true);
    return token;
  }
}
