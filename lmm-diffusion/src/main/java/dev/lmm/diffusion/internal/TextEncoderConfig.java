package dev.lmm.diffusion.internal;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.graph.Op;
import dev.lmm.core.json.Json;
import java.util.Map;

/**
 * config.json of a text encoder ({@code CLIPTextModel}, {@code CLIPTextModelWithProjection}).
 *
 * @param vocabSize number of tokens
 * @param hiddenSize width
 * @param intermediateSize width of the feed-forward layers
 * @param layers number of layers
 * @param heads number of heads
 * @param positions the most tokens
 * @param activation of the feed-forward layers
 * @param epsilon of the layer norms
 * @param projection width of the pooled embedding, or 0 if there is none
 */
public record TextEncoderConfig(
    int vocabSize,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int positions,
    Op activation,
    double epsilon,
    int projection) {
  private static final Map<String, Op> ACTIVATIONS =
      Map.of("quick_gelu", Op.QUICK_GELU, "gelu", Op.GELU, "gelu_new", Op.GELU_TANH);

  public static TextEncoderConfig of(Json c, boolean projected) {
    return of(c, projected, 512, 2048);
  }

  /**
   * Reads the layers of one of CLIP's towers.
   *
   * @param absentWidth hidden_size if the file does not say
   * @param absentInner intermediate_size if the file does not say
   */
  static TextEncoderConfig of(Json c, boolean projected, int absentWidth, int absentInner) {
    String name = c.stringAt("hidden_act", "quick_gelu");
    Op activation = ACTIVATIONS.get(name);
    if (activation == null) {
      throw new UnsupportedModelException(
          c.at("hidden_act").unexpected("one of " + ACTIVATIONS.keySet()).getMessage());
    }
    int heads = Configs.positive(c, "num_attention_heads", absentWidth / 64);
    int width = Configs.positive(c, "hidden_size", absentWidth);
    if (width % heads != 0) {
      throw c.at("hidden_size").unexpected("a multiple of num_attention_heads, " + heads);
    }
    return new TextEncoderConfig(
        Configs.positive(c, "vocab_size", 49408),
        width,
        Configs.positive(c, "intermediate_size", absentInner),
        Configs.positive(c, "num_hidden_layers", 12),
        heads,
        Configs.positive(c, "max_position_embeddings", 77),
        activation,
        c.doubleAt("layer_norm_eps", 1e-5),
        projected ? Configs.positive(c, "projection_dim", 512) : 0);
  }
}
