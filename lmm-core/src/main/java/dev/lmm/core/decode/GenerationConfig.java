package dev.lmm.core.decode;

import dev.lmm.CheckpointException;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.decode.GenerationOptions.EarlyStopping;
import dev.lmm.core.json.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a checkpoint wants to be asked, from its generation_config.json: the default options, and the
 * tokens that end an answer. Absent keys have transformers' defaults. Keys that change answers and
 * are not supported are reported once in the log and in {@link #ignored}. Immutable.
 */
public final class GenerationConfig {
  private static final Logger LOG = LoggerFactory.getLogger(GenerationConfig.class);

  /** Keys that would change an answer, and the values that would not. */
  private static final Map<String, Object> NEUTRAL =
      Map.ofEntries(
          Map.entry("typical_p", 1.0),
          Map.entry("top_h", ""),
          Map.entry("epsilon_cutoff", 0.0),
          Map.entry("eta_cutoff", 0.0),
          Map.entry("encoder_repetition_penalty", 1.0),
          Map.entry("encoder_no_repeat_ngram_size", 0.0),
          Map.entry("bad_words_ids", ""),
          Map.entry("forced_bos_token_id", ""),
          Map.entry("forced_eos_token_id", ""),
          Map.entry("exponential_decay_length_penalty", ""),
          Map.entry("suppress_tokens", ""),
          Map.entry("begin_suppress_tokens", ""),
          Map.entry("guidance_scale", 1.0),
          Map.entry("sequence_bias", ""),
          Map.entry("min_length", 0.0));

  private final GenerationOptions options;
  private final int[] endIds;
  private final int startId;
  private final List<String> ignored;

  private GenerationConfig(
      GenerationOptions options, int[] endIds, int startId, List<String> ignored) {
    this.options = options;
    this.endIds = endIds;
    this.startId = startId;
    this.ignored = ignored;
  }

  /**
   * Reads a checkpoint's generation_config.json.
   *
   * @param folder the checkpoint's
   * @return what it says; transformers' defaults and no end tokens if there is no such file
   * @throws CheckpointException if the file is broken or a value is out of range
   */
  public static GenerationConfig read(Path folder) {
    Path file = folder.resolve("generation_config.json");
    return of(
        Files.isRegularFile(file)
            ? Json.parse(file)
            : Json.parse("{}".getBytes(StandardCharsets.UTF_8), "defaults"));
  }

  /**
   * Reads a generation config.
   *
   * @param json an object
   * @return what it says
   * @throws CheckpointException if a value is out of range or of another type
   */
  public static GenerationConfig of(Json json) {
    GenerationOptions options = GenerationOptions.GREEDY;
    try {
      boolean sample = json.boolAt("do_sample", false);
      options =
          options
              .sample(sample)
              .repetitionPenalty((float) json.doubleAt("repetition_penalty", 1))
              .noRepeatNgram(json.intAt("no_repeat_ngram_size", 0))
              .minTokens(json.intAt("min_new_tokens", 0))
              .beams(json.intAt("num_beams", 1))
              .best(json.intAt("num_return_sequences", 1))
              .lengthPenalty((float) json.doubleAt("length_penalty", 1));
      if (json.hasValue("max_new_tokens")) {
        options = options.maxTokens(json.intAt("max_new_tokens"));
      }
      if (sample) {
        options =
            options
                .temperature((float) json.doubleAt("temperature", 1))
                .topK(json.intAt("top_k", 50))
                .topP((float) json.doubleAt("top_p", 1))
                .minP((float) json.doubleAt("min_p", 0));
      }
    } catch (InvalidRequestException e) {
      throw new CheckpointException(json.source() + ": " + e.getMessage(), e);
    }
    options = options.earlyStopping(earlyStopping(json));
    List<String> ignored = new ArrayList<>();
    NEUTRAL.forEach(
        (key, neutral) -> {
          boolean same =
              !json.hasValue(key)
                  || (neutral instanceof Double number
                      && json.at(key).isNumber()
                      && json.doubleAt(key) == number)
                  || (json.at(key).isArray() && json.at(key).elements().isEmpty());
          if (!same) {
            ignored.add(key);
          }
        });
    ignored.sort(null);
    if (!ignored.isEmpty()) {
      LOG.warn("{}: {} not supported, left out", json.source(), ignored);
    }
    return new GenerationConfig(
        options,
        ids(json, "eos_token_id"),
        json.intAt("decoder_start_token_id", -1),
        List.copyOf(ignored));
  }

  private static EarlyStopping earlyStopping(Json json) {
    if (!json.hasValue("early_stopping")) {
      return EarlyStopping.FALSE;
    }
    Json value = json.at("early_stopping");
    if (value.isBool()) {
      return value.bool() ? EarlyStopping.TRUE : EarlyStopping.FALSE;
    }
    if (value.isString() && value.string().equals("never")) {
      return EarlyStopping.NEVER;
    }
    throw value.unexpected("true, false or \"never\"");
  }

  private static int[] ids(Json json, String key) {
    if (!json.hasValue(key)) {
      return new int[0];
    }
    return json.at(key).isArray() ? json.at(key).ints() : new int[] {json.intAt(key)};
  }

  /**
   * The checkpoint's own options.
   *
   * @return to be changed by what the caller asks for
   */
  public GenerationOptions options() {
    return options;
  }

  /**
   * Tokens that end an answer.
   *
   * @return a copy; empty if the file names none
   */
  public int[] endIds() {
    return endIds.clone();
  }

  /**
   * The token that an encoder-decoder's answer begins with.
   *
   * @return its id, or -1 if the file names none
   */
  public int startId() {
    return startId;
  }

  /**
   * Keys that would change answers and are not supported.
   *
   * @return in alphabetical order
   */
  public List<String> ignored() {
    return ignored;
  }
}
