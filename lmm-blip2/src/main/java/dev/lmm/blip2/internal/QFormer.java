package dev.lmm.blip2.internal;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The layers of the Q-Former: learned queries that look at a picture, and in the first stage a text
 * that they exchange with. Norms are behind the layers, as in BERT.
 *
 * <p>Source: Li et al., BLIP-2: Bootstrapping Language-Image Pre-training with Frozen Image
 * Encoders and Large Language Models (2023), in the tensor names of transformers.
 */
final class QFormer {
  private final GraphBuilder root;
  private final Blip2Config.QFormer config;
  private final boolean watched;
  private final List<Value> crossed = new ArrayList<>();
  private final List<Value> exchanged = new ArrayList<>();

  /**
   * Writes into a graph.
   *
   * @param root the graph's root
   * @param config of the Q-Former
   * @param watched whether attention probabilities are kept
   */
  QFormer(GraphBuilder root, Blip2Config.QFormer config, boolean watched) {
    this.root = root;
    this.config = config;
    this.watched = watched;
  }

  /** The learned queries [1, queries, width], not normed. */
  Value queries(int count) {
    return root.weight("query_tokens", 1, count, config.hiddenSize());
  }

  /** A text's words and their places, from 0: [batch, s] to [batch, s, width], not normed. */
  Value words(Value ids, Value places) {
    GraphBuilder g = root.at("embeddings");
    long width = config.hiddenSize();
    return g.add(
        g.embedding("word_embeddings", ids, config.vocabSize(), width),
        g.embedding("position_embeddings", places, config.maxPositionEmbeddings(), width));
  }

  /** The norm before the first layer. */
  Value norm(Value x) {
    return root.at("qformer").layerNorm("layernorm", x, config.layerNormEps());
  }

  /**
   * Keys and values of a picture, or of x itself.
   *
   * @param key [1 or batch, rows, width]
   * @param value as the key
   */
  record Source(Value key, Value value) {}

  /** What a layer makes of a picture [1 or batch, rows, vision width] to look at it. */
  Source picture(Value image, int layer) {
    return source(
        root.at("qformer.encoder.layer").at(layer).at("crossattention").at("attention"), image);
  }

  private Source source(GraphBuilder a, Value x) {
    long width = config.hiddenSize();
    return new Source(a.linear("key", x, width), a.linear("value", x, width));
  }

  /**
   * All layers.
   *
   * @param x [batch, queries + s, width], normed
   * @param queries how many of the rows are queries; 0 for a text alone
   * @param picture gives, for the number of a layer that looks, what it looks at; null without
   *     queries
   * @param mask BOOL over the self-attention's scores, or null
   * @return as x
   */
  Value layers(Value x, int queries, @Nullable IntFunction<Source> picture, @Nullable Value mask) {
    Dim end = x.dim(1);
    boolean text = !end.equals(Dim.of(queries));
    for (int i = 0; i < config.numHiddenLayers(); i++) {
      GraphBuilder layer = root.at("qformer.encoder.layer").at(i);
      GraphBuilder own = layer.at("attention");
      x = attention(own, x, source(own.at("attention"), x), mask, exchanged);
      List<Value> parts = new ArrayList<>();
      if (queries > 0) {
        Value q = text ? layer.slice(x, 1, Dim.of(0), Dim.of(queries)) : x;
        if (picture != null && config.crosses(i)) {
          q = attention(layer.at("crossattention"), q, picture.apply(i), null, crossed);
        }
        parts.add(feedForward(layer, "intermediate_query", "output_query", q));
      }
      if (text) {
        Value t = queries > 0 ? layer.slice(x, 1, Dim.of(queries), end) : x;
        parts.add(feedForward(layer, "intermediate", "output", t));
      }
      x = parts.size() == 1 ? parts.get(0) : layer.concat(1, parts.get(0), parts.get(1));
    }
    return x;
  }

  /** For each layer that looks at the picture: probabilities [batch, heads, queries, rows]. */
  List<Value> crossed() {
    return crossed;
  }

  /** For each layer: probabilities [batch, heads, all, all] among queries and text. */
  List<Value> exchanged() {
    return exchanged;
  }

  /** Attention of x to a source, with its residual and norm. */
  private Value attention(
      GraphBuilder g, Value x, Source source, @Nullable Value mask, List<Value> kept) {
    GraphBuilder a = g.at("attention");
    long width = config.hiddenSize();
    int heads = config.numAttentionHeads();
    // A picture that many texts are compared with has one set of keys and values.
    Value key = each(a, source.key(), x.dim(0));
    Value value = each(a, source.value(), x.dim(0));
    List<Value> attended =
        a.attention(
            a.linear("query", x, width),
            key,
            value,
            mask,
            null,
            new Attributes.Attention(
                heads, heads, 1 / Math.sqrt(width / (double) heads), false, 0, watched));
    if (watched) {
      kept.add(attended.get(1));
    }
    return joined(g.at("output"), attended.get(0), x);
  }

  private static Value each(GraphBuilder g, Value x, Dim batch) {
    return x.dim(0).equals(batch) ? x : g.expand(x, batch, x.dim(1), x.dim(2));
  }

  private Value feedForward(GraphBuilder layer, String in, String out, Value x) {
    GraphBuilder g = layer.at(in);
    Value h = g.unary(config.hiddenAct(), g.linear("dense", x, config.intermediateSize()));
    return joined(layer.at(out), h, x);
  }

  /** {@code dense}, the residual, {@code LayerNorm}. */
  private Value joined(GraphBuilder g, Value h, Value residual) {
    return g.layerNorm(
        "LayerNorm",
        g.add(g.linear("dense", h, config.hiddenSize()), residual),
        config.layerNormEps());
  }
}
