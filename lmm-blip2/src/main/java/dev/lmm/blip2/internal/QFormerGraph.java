package dev.lmm.blip2.internal;

import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;

/**
 * The second stage's Q-Former: what the queries see of a picture, and its projection into the
 * language model's width.
 */
final class QFormerGraph {
  private QFormerGraph() {}

  /**
   * {@code image} [batch, rows, vision width] to {@code queries} [batch, queries, width], and
   * {@code projected} [batch, queries, text width].
   */
  static Graph of(Blip2Config config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("blip2.qformer", weights);
    QFormer former = new QFormer(root, config.qformer(), false);
    Dim batch = Dim.symbol("batch");
    Value image =
        root.input("image", DType.F32, batch, config.vision().rows(), config.vision().hiddenSize());
    // The queries are the same for every picture: normed once, then one copy for each.
    Value x = former.norm(former.queries(config.numQueryTokens()));
    x = root.expand(x, batch, config.numQueryTokens(), config.qformer().hiddenSize());
    x = former.layers(x, config.numQueryTokens(), i -> former.picture(image, i), null);
    root.output("queries", x);
    root.output("projected", root.linear("language_projection", x, config.text().hiddenSize()));
    return root.build();
  }
}
