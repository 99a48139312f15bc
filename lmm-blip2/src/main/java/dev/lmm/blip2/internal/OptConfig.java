package dev.lmm.blip2.internal;

import static dev.lmm.blip2.internal.Blip2Config.positive;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.graph.Op;
import dev.lmm.core.json.Json;

/**
 * {@code text_config} of OPT.
 *
 * @param vocabSize rows of the table
 * @param hiddenSize width
 * @param ffnDim width of the feed-forward layers
 * @param numHiddenLayers layers
 * @param numAttentionHeads heads
 * @param maxPositionEmbeddings queries, prompt and answer together
 * @param activationFunction of the feed-forward layers
 * @param tieWordEmbeddings whether the head is the table whatever the file holds
 * @param bosTokenId begins a prompt
 * @param eosTokenId ends an answer if generation_config.json does not say
 */
record OptConfig(
    int vocabSize,
    int hiddenSize,
    int ffnDim,
    int numHiddenLayers,
    int numAttentionHeads,
    int maxPositionEmbeddings,
    Op activationFunction,
    boolean tieWordEmbeddings,
    int bosTokenId,
    int eosTokenId)
    implements TextConfig {
  /** Reads a config. */
  static OptConfig of(Json c) {
    int heads = positive(c, "num_attention_heads", 12);
    int width = Blip2Config.width(c, 768, heads);
    // OPT of 350M: narrower embeddings and norms behind the layers. No BLIP-2 was published with
    // it.
    published(c, "do_layer_norm_before", true);
    published(c, "_remove_final_layer_norm", false);
    published(c, "enable_bias", true);
    published(c, "layer_norm_elementwise_affine", true);
    if (positive(c, "word_embed_proj_dim", width) != width) {
      throw new UnsupportedModelException(
          c.at("word_embed_proj_dim").unexpected("hidden_size, " + width).getMessage());
    }
    return new OptConfig(
        positive(c, "vocab_size", 50272),
        width,
        positive(c, "ffn_dim", 3072),
        positive(c, "num_hidden_layers", 12),
        heads,
        positive(c, "max_position_embeddings", 2048),
        Blip2Config.activation(c, "activation_function", "relu"),
        c.boolAt("tie_word_embeddings", true),
        c.intAt("bos_token_id", 2),
        c.intAt("eos_token_id", 2));
  }

  private static void published(Json c, String key, boolean value) {
    if (c.boolAt(key, value) != value) {
      throw new UnsupportedModelException(
          c.at(key).unexpected(Boolean.toString(value)).getMessage());
    }
  }

  @Override
  public int emptyTokenId() {
    return bosTokenId;
  }
}
