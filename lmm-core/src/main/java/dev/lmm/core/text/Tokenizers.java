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
    return of(folder, layout(folder, lowerCase), null);
  }

  /**
   * Loads a tokenizer for a model that chats: {@link Tokenizer#encodePlain} takes what a user typed
   * without ever making a control token of it.
   *
   * @param folder the checkpoint's folder, or its tokenizer's
   * @return the tokenizer, to be closed
   * @throws CheckpointException if the folder has none, or a file is broken
   */
  public static Tokenizer loadForChat(Path folder) {
    Layout layout = layout(folder, false);
    if (layout.siglip != null) {
      throw new UnsupportedModelException(
          layout.source + ": is a tokenizer of captions; expected one of a model that chats");
    }
    return of(folder, layout, ControlTokens.removed(layout.json));
  }

  /**
   * A tokenizer.json and what the tokenizer's class does beside it.
   *
   * @param json as plain Java
   * @param source the file it comes from, for messages
   * @param endOfWord what pieces carry where a word ends; empty for nothing
   * @param siglip how the first SigLIP prepares text, or null
   */
  private record Layout(
      Map<String, ?> json, String source, String endOfWord, @Nullable SiglipText siglip) {}

  private static Tokenizer of(Path folder, Layout layout, @Nullable Object plain) {
    byte[] json = bytes(layout.json, layout.source);
    byte[] plainJson = plain == null ? null : bytes(plain, layout.source);
    NativeTokenizers.Shared shared = NativeTokenizers.open(json, layout.source);
    try {
      Vocabulary vocabulary = Vocabulary.of(layout.json, layout.source);
      return new Tokenizer(
          shared,
          plainJson == null ? null : NativeTokenizers.open(plainJson, layout.source),
          vocabulary,
          layout.source,
          layout.siglip,
          layout.endOfWord,
          cleansUp(layout.json, config(folder)));
    } catch (RuntimeException | Error e) {
      shared.release();
      throw e;
    }
  }

  /** The reference spares BPE, whose pieces carry the blanks of the text, unless it is insisted. */
  private static boolean cleansUp(Map<String, ?> json, Json config) {
    boolean bpe =
        json.get("model") instanceof Map<?, ?> model
            && (model.containsKey("merges") || "BPE".equals(model.get("type")));
    return config.boolAt("clean_up_tokenization_spaces", false)
        && (!bpe
            || config.boolAt(
                "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output", false));
  }

  private static Layout layout(Path folder, boolean lowerCase) {
    Json config = config(folder);
    String tokenizerClass = config.stringAt("tokenizer_class", "");
    Path ready = folder.resolve("tokenizer.json");
    Path pieces = folder.resolve("spiece.model");
    // SigLIP's own class reads nothing but the sentencepiece model, whatever lies beside it.
    boolean siglip =
        (tokenizerClass.equals("SiglipTokenizer") || tokenizerClass.equals("SiglipTokenizerFast"))
            && Files.isRegularFile(pieces);
    if (siglip) {
      SentencePieceModel model =
          SentencePieceModel.read(
              pieces, SentencePieceModel.Algorithm.UNIGRAM, "SigLIP's tokenizer");
      return new Layout(
          SentencePieceJson.siglip(model), pieces.toString(), "", new SiglipText(model, pieces));
    }
    if (Files.isRegularFile(ready)) {
      Json json = Json.parse(ready);
      TokenizerRules.check(json);
      // Only CLIP marks where words end, and its class takes the marks away when it decodes.
      return new Layout(
          adjusted(json, lowerCase),
          ready.toString(),
          json.at("model").stringAt("end_of_word_suffix", ""),
          null);
    }
    Path vocabulary = folder.resolve("vocab.json");
    Path merges = folder.resolve("merges.txt");
    if (Files.isRegularFile(vocabulary) && Files.isRegularFile(merges)) {
      return switch (tokenizerClass) {
        case "", "CLIPTokenizer", "CLIPTokenizerFast" ->
            new Layout(
                ByteLevelTokenizerJson.clip(vocabulary, merges, config),
                vocabulary.toString(),
                ByteLevelTokenizerJson.CLIP_END_OF_WORD,
                null);
        case "Qwen2Tokenizer", "Qwen2TokenizerFast" ->
            new Layout(
                ByteLevelTokenizerJson.qwen2(vocabulary, merges, config),
                vocabulary.toString(),
                "",
                null);
        case "GPT2Tokenizer", "GPT2TokenizerFast" ->
            new Layout(
                AddedTokens.with(
                    ByteLevelTokenizerJson.gpt2(vocabulary, merges, config), folder, config),
                vocabulary.toString(),
                "",
                null);
        default ->
            throw new UnsupportedModelException(
                folder
                    + ": tokenizer_class is "
                    + tokenizerClass
                    + "; with vocab.json and merges.txt only CLIPTokenizer, Qwen2Tokenizer and"
                    + " GPT2Tokenizer are known");
      };
    }
    if (Files.isRegularFile(pieces)) {
      return new Layout(
          AddedTokens.with(
              SentencePieceJson.t5(pieces, config.intAt("extra_ids", 100)), folder, config),
          pieces.toString(),
          "",
          null);
    }
    Path model = folder.resolve("tokenizer.model");
    if (Files.isRegularFile(model)) {
      Map<String, ?> json =
          switch (tokenizerClass) {
            case "LlamaTokenizer", "LlamaTokenizerFast" -> TokenizerModelJson.llama(model, config);
            case "", "PreTrainedTokenizer", "PreTrainedTokenizerFast", "TokenizersBackend" ->
                TokenizerModelJson.plain(model, config);
            default ->
                throw new UnsupportedModelException(
                    folder
                        + ": tokenizer_class is "
                        + tokenizerClass
                        + "; with tokenizer.model only LlamaTokenizer and PreTrainedTokenizerFast"
                        + " are known");
          };
      return new Layout(AddedTokens.with(json, folder, config), model.toString(), "", null);
    }
    Path words = folder.resolve("vocab.txt");
    if (Files.isRegularFile(words)) {
      return new Layout(
          AddedTokens.with(BertTokenizerJson.of(words, config), folder, config),
          words.toString(),
          "",
          null);
    }
    throw new CheckpointException(
        folder
            + ": has no tokenizer; expected tokenizer.json, vocab.json with merges.txt, spiece.model,"
            + " tokenizer.model or vocab.txt; is the download complete?");
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

  private static byte[] bytes(Object json, String source) {
    try {
      return JsonText.of(json).getBytes(StandardCharsets.UTF_8);
    } catch (InvalidRequestException e) {
      throw new CheckpointException(source + ": holds a number that is none: " + e.getMessage(), e);
    }
  }

  private static Map<String, ?> adjusted(Json json, boolean lowerCase) {
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
