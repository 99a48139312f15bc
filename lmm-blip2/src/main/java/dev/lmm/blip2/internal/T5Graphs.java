package dev.lmm.blip2.internal;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * T5's encoder and decoder: norms without means before each layer, a learned bias for each distance
 * and head instead of positions, scores that are not scaled, no biases anywhere else.
 *
 * <p>Source: Raffel et al., Exploring the Limits of Transfer Learning with a Unified Text-to-Text
 * Transformer (2020), with the gated layers of version 1.1.
 */
final class T5Graphs {
  /** Keys of the source for the cross-attention of a layer: this and the layer's number. */
  static final String KEYS = "keys";

  /** Values of the source for the cross-attention of a layer: this and the layer's number. */
  static final String VALUES = "values";

  private T5Graphs() {}

  /**
   * {@code projected} [batch, queries, width], then the words {@code ids} I64 [batch, s], and
   * {@code buckets} I64 [queries + s, queries + s] of the distances between them, to {@code states}
   * [batch, queries + s, width] and what every layer of the decoder makes of them once for all:
   * {@code keys0}, {@code values0} ... [batch, queries + s, heads * d].
   */
  static Graph encoder(T5Config config, int queries, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("blip2.encoder", weights);
    GraphBuilder m = root.at("language_model");
    GraphBuilder g = m.at("encoder");
    long width = config.hiddenSize();
    Dim all = Dim.of(queries).plus(Dim.symbol("s"));
    Value projected = root.input("projected", DType.F32, "batch", queries, width);
    Value ids = root.input("ids", DType.I64, "batch", "s");
    Value buckets = root.input("buckets", DType.I64, all, all);

    Value x = g.concat(1, projected, m.embedding(ids, table(m, config)));
    GraphBuilder first = g.at("block.0.layer.0.SelfAttention");
    Value bias =
        first.embedding("relative_attention_bias", buckets, config.buckets(), config.numHeads());
    bias = g.reshape(g.transpose(bias, 2, 0, 1), 1, config.numHeads(), all, all);
    for (int i = 0; i < config.numLayers(); i++) {
      GraphBuilder block = g.at("block").at(i);
      GraphBuilder layer = block.at("layer.0");
      GraphBuilder a = layer.at("SelfAttention");
      Value h = layer.rmsNorm("layer_norm", x, config.layerNormEpsilon());
      Value attended =
          a.attention(
                  a.linearNoBias("q", h, config.inner()),
                  a.linearNoBias("k", h, config.inner()),
                  a.linearNoBias("v", h, config.inner()),
                  null,
                  bias,
                  heads(config, false))
              .get(0);
      x = layer.add(x, a.linearNoBias("o", attended, width));
      x = feedForward(block.at("layer.1"), x, config);
    }
    x = g.rmsNorm("final_layer_norm", x, config.layerNormEpsilon());
    root.output("states", x);
    for (int i = 0; i < config.numDecoderLayers(); i++) {
      GraphBuilder a = m.at("decoder.block").at(i).at("layer.1.EncDecAttention");
      root.output(KEYS + i, a.linearNoBias("k", x, config.inner()));
      root.output(VALUES + i, a.linearNoBias("v", x, config.inner()));
    }
    return root.build();
  }

  /**
   * One step of rows that look at {@code groups} sources, {@code each} of them at the same: {@code
   * ids} I64 [groups, each, s], {@code past} I32 [groups * each], {@code last} [1] the entry whose
   * {@code logits} [groups * each, vocabulary] are wanted, {@code buckets} I64 [groups * each, s,
   * capacity] of the distances to kept entries; {@code keys0}, {@code values0} ... [groups, n,
   * heads * d] as the encoder gave them, {@code seen} BOOL [groups, 1, 1, n] where there are any.
   *
   * @param watched whether a whole text is read without a state, {@code capacity} being its length,
   *     without {@code past}, {@code last} and {@code logits}; outputs are {@code self0} ...
   *     [groups * each, heads, s, capacity] and {@code cross0} ... [groups, heads, each * s, n],
   *     what entries attend to
   */
  static Graph decoder(T5Config config, boolean watched, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("blip2.decoder", weights);
    GraphBuilder m = root.at("language_model");
    GraphBuilder g = m.at("decoder");
    long width = config.hiddenSize();
    int heads = config.numHeads();
    Dim groups = Dim.symbol("groups");
    Dim each = Dim.symbol("each");
    Dim s = Dim.symbol("s");
    Dim rows = groups.times(each);
    Value ids = root.input("ids", DType.I64, groups, each, s);
    Dim capacity = watched ? s : Dim.symbol("capacity");
    @Nullable Value past = watched ? null : root.input("past", DType.I32, rows);
    Value buckets = root.input("buckets", DType.I64, rows, s, capacity);
    Value seen = root.input("seen", DType.BOOL, groups, 1, 1, "n");

    Value x = g.reshape(m.embedding(ids, table(m, config)), rows, s, width);
    Value bias =
        g.at("block.0.layer.0.SelfAttention")
            .embedding("relative_attention_bias", buckets, config.buckets(), heads);
    bias = g.transpose(bias, 0, 3, 1, 2); // [rows, heads, s, capacity]
    for (int i = 0; i < config.numDecoderLayers(); i++) {
      GraphBuilder block = g.at("block").at(i);
      GraphBuilder layer = block.at("layer.0");
      GraphBuilder a = layer.at("SelfAttention");
      Value h = layer.rmsNorm("layer_norm", x, config.layerNormEpsilon());
      Value query = a.linearNoBias("q", h, config.inner());
      Value key = a.linearNoBias("k", h, config.inner());
      Value value = a.linearNoBias("v", h, config.inner());
      Value attended;
      if (past == null) {
        List<Value> read =
            a.attention(
                query,
                key,
                value,
                null,
                bias,
                new Attributes.Attention(heads, heads, 1, true, 0, true));
        root.output("self" + i, read.get(1));
        attended = read.get(0);
      } else {
        attended =
            a.cachedAttention(
                query,
                key,
                value,
                layer.state("keys", DType.F32, rows, heads, capacity, config.dKv()),
                layer.state("values", DType.F32, rows, heads, capacity, config.dKv()),
                past,
                bias,
                new Attributes.CachedAttention(heads, heads, 1, 0));
      }
      x = layer.add(x, a.linearNoBias("o", attended, width));

      layer = block.at("layer.1");
      a = layer.at("EncDecAttention");
      h = layer.rmsNorm("layer_norm", x, config.layerNormEpsilon());
      // Nothing tells the rows of a source apart here: they are its queries, and it is not copied.
      query = a.linearNoBias("q", h, config.inner());
      query = a.reshape(query, groups, each.times(s), config.inner());
      var looked =
          a.attention(
              query,
              root.input(KEYS + i, DType.F32, groups, "n", config.inner()),
              root.input(VALUES + i, DType.F32, groups, "n", config.inner()),
              seen,
              null,
              heads(config, watched));
      attended = a.reshape(looked.get(0), rows, s, config.inner());
      if (watched) {
        root.output("cross" + i, looked.get(1));
      }
      x = layer.add(x, a.linearNoBias("o", attended, width));
      x = feedForward(block.at("layer.2"), x, config);
    }
    if (watched) {
      return root.build();
    }
    // The head is wide: only the last entry goes through it.
    Value last = root.input("last", DType.I64, 1);
    Value end = g.reshape(g.gather(x, last, 1), rows, width);
    end = g.rmsNorm("final_layer_norm", end, config.layerNormEpsilon());
    if (config.scaleDecoderOutputs()) {
      end = g.scale(end, 1 / Math.sqrt((double) width));
    }
    Value head =
        m.has("lm_head.weight")
            ? m.weight("lm_head.weight", config.vocabSize(), width)
            : table(m, config);
    root.output("logits", m.linear(end, head, null));
    return root.build();
  }

  private static Attributes.Attention heads(T5Config config, boolean probabilities) {
    return new Attributes.Attention(
        config.numHeads(), config.numHeads(), 1, false, 0, probabilities);
  }

  /** The words of encoder and decoder are the same; files differ in the name they keep. */
  private static Value table(GraphBuilder m, T5Config config) {
    @Nullable String found = null;
    for (String name : new String[] {"encoder.embed_tokens", "decoder.embed_tokens", "shared"}) {
      found = m.has(name + ".weight") ? name : found;
    }
    GraphBuilder g = m.at(found == null ? "shared" : found);
    return g.weight("weight", config.vocabSize(), config.hiddenSize());
  }

  private static Value feedForward(GraphBuilder layer, Value x, T5Config config) {
    GraphBuilder g = layer.at("DenseReluDense");
    Value h = layer.rmsNorm("layer_norm", x, config.layerNormEpsilon());
    Value y =
        g.unary(
            config.activation(), g.linearNoBias(config.gated() ? "wi_0" : "wi", h, config.dFf()));
    if (config.gated()) {
      y = g.mul(y, g.linearNoBias("wi_1", h, config.dFf()));
    }
    return layer.add(x, g.linearNoBias("wo", y, config.hiddenSize()));
  }

  /** Tensors that files keep and nothing reads: copies of the table, a bias that was never used. */
  static boolean mayStayUnread(String name) {
    return name.equals("language_model.encoder.embed_tokens.weight")
        || name.equals("language_model.decoder.embed_tokens.weight")
        || name.equals("language_model.lm_head.weight")
        || name.equals(
            "language_model.decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight");
  }
}
