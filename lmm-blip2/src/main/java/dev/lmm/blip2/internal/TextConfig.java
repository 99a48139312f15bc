package dev.lmm.blip2.internal;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.json.Json;

/** {@code text_config}: the language model's. */
sealed interface TextConfig permits OptConfig, T5Config {
  /** Rows of the table. */
  int vocabSize();

  /** Width of the embeddings. */
  int hiddenSize();

  /** Stands where a prompt has no token. */
  int emptyTokenId();

  /** Ends an answer if generation_config.json does not say. */
  int eosTokenId();

  /** Reads the config of a language model. */
  static TextConfig of(Json c) {
    return switch (c.stringAt("model_type", "opt")) {
      case "opt" -> OptConfig.of(c);
      case "t5" -> T5Config.of(c);
      default ->
          throw new UnsupportedModelException(
              c.at("model_type").unexpected("opt or t5").getMessage());
    };
  }
}
