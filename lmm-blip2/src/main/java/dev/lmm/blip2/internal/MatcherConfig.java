package dev.lmm.blip2.internal;

import dev.lmm.core.json.Json;
import java.nio.file.Path;

/**
 * config.json of the first stage: there is no language model, whatever {@code text_config} says.
 *
 * @param numQueryTokens how many queries look at a picture
 * @param imageTextHiddenSize width of the space that pictures and texts share
 * @param vision the vision tower
 * @param qformer the Q-Former, which reads texts too
 */
record MatcherConfig(
    int numQueryTokens,
    int imageTextHiddenSize,
    Blip2Config.Vision vision,
    Blip2Config.QFormer qformer) {
  /** Reads a config; pictures have the size that it was trained on. */
  static MatcherConfig of(Json config) {
    Blip2Config.Vision vision = Blip2Config.vision(config.objectOrEmpty("vision_config"));
    return new MatcherConfig(
        Blip2Config.positive(config, "num_query_tokens", 32),
        Blip2Config.positive(config, "image_text_hidden_size", 256),
        vision,
        Blip2Config.qformer(config.objectOrEmpty("qformer_config"), vision));
  }

  /** For pictures of the size that a folder's preprocessor_config.json tells. */
  MatcherConfig sized(Path folder) {
    return new MatcherConfig(numQueryTokens, imageTextHiddenSize, vision.sized(folder), qformer);
  }
}
