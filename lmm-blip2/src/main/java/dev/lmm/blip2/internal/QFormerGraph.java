package dev.lmm.blip2.internal;

import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;

/**
 * The Q-Former: learned queries that look at a picture, and the projection of what they saw into
 * the language model's width. Norms are behind the layers, as in BERT.
 */
final class QFormerGraph {
  private QFormerGraph() {}

  /**
   * {@code image} [batch, rows, vision width] to {@code queries} [batch, queries, width], and
   * {@code projected} [batch, queries, text width].
   */
  static Graph of(Blip2Config config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("blip2.qformer", weights);
    Blip2Config.QFormer former = config.qformer();
    long width = former.hiddenSize();
    Dim batch = Dim.symbol("batch");
    Value image =
        root.input("image", DType.F32, batch, config.vision().rows(), config.vision().hiddenSize());

    GraphBuilder g = root.at("qformer");
    // The queries are the same for every picture: normed once, then one copy for each.
    Value x = root.weight("query_tokens", 1, config.numQueryTokens(), width);
    x = g.layerNorm("layernorm", x, former.layerNormEps());
    x = g.expand(x, batch, config.numQueryTokens(), width);
    for (int i = 0; i < former.numHiddenLayers(); i++) {
      GraphBuilder layer = g.at("encoder.layer").at(i);
      x = attention(layer.at("attention"), x, x, former);
      if (i % former.crossAttentionFrequency() == 0) {
        x = attention(layer.at("crossattention"), x, image, former);
      }
      Value h = layer.linear("intermediate_query.dense", x, former.intermediateSize());
      h = layer.unary(former.hiddenAct(), h);
      x = joined(layer.at("output_query"), h, x, former);
    }
    root.output("queries", x);
    root.output("projected", root.linear("language_projection", x, config.text().hiddenSize()));
    return root.build();
  }

  /** Attention of x to a source, with its residual and norm. */
  private static Value attention(
      GraphBuilder g, Value x, Value source, Blip2Config.QFormer config) {
    GraphBuilder a = g.at("attention");
    long width = config.hiddenSize();
    Value attended =
        a.attention(
            a.linear("query", x, width),
            a.linear("key", source, width),
            a.linear("value", source, width),
            config.numAttentionHeads(),
            false,
            null);
    return joined(g.at("output"), attended, x, config);
  }

  /** {@code dense}, the residual, {@code LayerNorm}. */
  private static Value joined(GraphBuilder g, Value h, Value residual, Blip2Config.QFormer config) {
    return g.layerNorm(
        "LayerNorm",
        g.add(g.linear("dense", h, config.hiddenSize()), residual),
        config.layerNormEps());
  }
}
