package dev.lmm.blip2.internal;

import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;

/** The first stage's Q-Former: a picture alone, with texts together, and a text alone. */
final class MatchGraphs {
  /** Keys of the picture for a layer that looks at it: this and the layer's number. */
  static final String KEYS = "keys";

  /** Values of the picture for a layer that looks at it: this and the layer's number. */
  static final String VALUES = "values";

  private MatchGraphs() {}

  /**
   * What the layers that look at a picture make of it once for all texts: {@code image} [1, rows,
   * vision width] to {@code keys0}, {@code values0}, {@code keys2} ... [1, rows, width].
   */
  static Graph sight(MatcherConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("blip2.sight", weights);
    QFormer former = new QFormer(root, config.qformer(), false);
    Value image =
        root.input("image", DType.F32, 1, config.vision().rows(), config.vision().hiddenSize());
    for (int i = 0; i < config.qformer().numHiddenLayers(); i++) {
      if (config.qformer().crosses(i)) {
        QFormer.Source picture = former.picture(image, i);
        root.output(KEYS + i, picture.key());
        root.output(VALUES + i, picture.value());
      }
    }
    return root.build();
  }

  /**
   * One picture and {@code batch} texts: what {@link #sight} made of it, {@code ids} and {@code
   * places} I64 [batch, s], {@code mask} BOOL [batch, 1, queries + s, queries + s], true = attend.
   * Gives {@code logits} [batch, 2], the second for a match, and {@code image_embeds} [batch,
   * queries, shared], not normalised; the queries are those of the picture alone if the mask keeps
   * them from the text.
   */
  static Graph pair(MatcherConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("blip2.qformer", weights);
    int queries = config.numQueryTokens();
    Value x = joined(root, new QFormer(root, config.qformer(), false), config);
    x = root.slice(x, 1, 0, queries);
    // The head is applied to every query; what is averaged are its answers.
    Value logits = root.linear("itm_head", x, 2);
    root.output("logits", root.reduce(Op.REDUCE_MEAN, logits, false, 1));
    root.output("image_embeds", root.linear("vision_projection", x, config.imageTextHiddenSize()));
    return root.build();
  }

  /** Queries and texts through all layers: [batch, queries + s, width]. */
  private static Value joined(GraphBuilder root, QFormer former, MatcherConfig config) {
    int queries = config.numQueryTokens();
    Dim batch = Dim.symbol("batch");
    Dim all = Dim.of(queries).plus(Dim.symbol("s"));
    int rows = config.vision().rows();
    int width = config.qformer().hiddenSize();
    Value ids = root.input("ids", DType.I64, batch, "s");
    Value places = root.input("places", DType.I64, batch, "s");
    Value mask = root.input("mask", DType.BOOL, batch, 1, all, all);
    Value q = root.expand(former.queries(queries), batch, queries, width);
    Value x = former.norm(root.concat(1, q, former.words(ids, places)));
    return former.layers(
        x,
        queries,
        i ->
            new QFormer.Source(
                root.input(KEYS + i, DType.F32, 1, rows, width),
                root.input(VALUES + i, DType.F32, 1, rows, width)),
        mask);
  }

  /**
   * Texts alone: {@code ids} and {@code places} I64 [batch, s], {@code mask} BOOL [batch, 1, 1, s]
   * to {@code text_embeds} [batch, shared], not normalised.
   */
  static Graph text(MatcherConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("blip2.text", weights);
    QFormer former = new QFormer(root, config.qformer(), false);
    Dim batch = Dim.symbol("batch");
    Value ids = root.input("ids", DType.I64, batch, "s");
    Value places = root.input("places", DType.I64, batch, "s");
    Value mask = root.input("mask", DType.BOOL, batch, 1, 1, "s");
    Value x = former.layers(former.norm(former.words(ids, places)), 0, null, mask);
    Value first = root.reshape(root.slice(x, 1, 0, 1), batch, config.qformer().hiddenSize());
    root.output("text_embeds", root.linear("text_projection", first, config.imageTextHiddenSize()));
    return root.build();
  }
}
