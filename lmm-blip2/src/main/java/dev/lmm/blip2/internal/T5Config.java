package dev.lmm.blip2.internal;

import static dev.lmm.blip2.internal.Blip2Config.positive;

import dev.lmm.core.graph.Op;
import dev.lmm.core.json.Json;

/**
 * {@code text_config} of T5.
 *
 * @param vocabSize rows of the table
 * @param hiddenSize width of the states, {@code d_model}
 * @param dKv width of a head; all heads together need not be as wide as the states
 * @param dFf width of the feed-forward layers
 * @param numLayers of the encoder
 * @param numDecoderLayers of the decoder
 * @param numHeads heads
 * @param buckets of distances, each with a bias of its own for each head
 * @param maxDistance from here on all distances share a bucket
 * @param activation of the feed-forward layers
 * @param gated whether they multiply two projections
 * @param layerNormEpsilon of the norms
 * @param scaleDecoderOutputs whether the last states are divided by the root of their width
 * @param startTokenId begins an answer if generation_config.json does not say
 * @param eosTokenId ends an answer if generation_config.json does not say
 */
record T5Config(
    int vocabSize,
    int hiddenSize,
    int dKv,
    int dFf,
    int numLayers,
    int numDecoderLayers,
    int numHeads,
    int buckets,
    int maxDistance,
    Op activation,
    boolean gated,
    double layerNormEpsilon,
    boolean scaleDecoderOutputs,
    int startTokenId,
    int eosTokenId)
    implements TextConfig {
  /** Reads a config. */
  static T5Config of(Json c) {
    int layers = positive(c, "num_layers", 6);
    int buckets = positive(c, "relative_attention_num_buckets", 32);
    if (buckets < 4) {
      throw c.at("relative_attention_num_buckets").unexpected("at least 4");
    }
    int distance = positive(c, "relative_attention_max_distance", 128);
    if (distance <= buckets / 2) {
      throw c.at("relative_attention_max_distance")
          .unexpected("more than half of relative_attention_num_buckets, " + buckets / 2);
    }
    String feedForward = c.stringAt("feed_forward_proj", "relu");
    boolean gated = feedForward.startsWith("gated-");
    // gated-gelu alone means the tanh form; what the published files say beside it wins.
    String named = feedForward.equals("gated-gelu") ? "gelu_new" : feedForward;
    Op activation =
        c.hasValue("dense_act_fn")
            ? Blip2Config.activation(c, "dense_act_fn", "relu")
            : Blip2Config.activationNamed(
                c, "feed_forward_proj", gated ? named.replace("gated-", "") : named);
    return new T5Config(
        positive(c, "vocab_size", 32128),
        positive(c, "d_model", 512),
        positive(c, "d_kv", 64),
        positive(c, "d_ff", 2048),
        layers,
        positive(c, "num_decoder_layers", layers),
        positive(c, "num_heads", 8),
        buckets,
        distance,
        activation,
        c.boolAt("is_gated_act", gated),
        c.doubleAt("layer_norm_epsilon", 1e-6),
        // Whether the file has a head of its own says the file; this says what goes before it.
        c.boolAt("scale_decoder_outputs", c.boolAt("tie_word_embeddings", true)),
        c.intAt("decoder_start_token_id", c.intAt("pad_token_id", 0)),
        c.intAt("eos_token_id", 1));
  }

  /** Width of all heads together. */
  int inner() {
    return Math.multiplyExact(numHeads, dKv);
  }

  /** A picture with no words is followed by the end token. */
  @Override
  public int emptyTokenId() {
    return eosTokenId;
  }
}
