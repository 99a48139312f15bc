package dev.lmm.clip.internal;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The pre-norm transformer layers that every tower here has, {@code encoder.layers.N} of the
 * checkpoint.
 *
 * @param width width of the tower
 * @param intermediate width of the feed-forward layers
 * @param count number of layers
 * @param heads number of heads
 * @param activation of the feed-forward layers
 * @param epsilon of the layer norms
 */
record TransformerLayers(
    int width, int intermediate, int count, int heads, Op activation, double epsilon) {

  /**
   * All layers, every row of the result being of use.
   *
   * @param g at {@code encoder.layers}
   * @param x [batch, s, width]
   * @param causal whether later rows are hidden
   * @param mask BOOL, true = attend, or null
   * @return [batch, s, width]
   */
  Value all(GraphBuilder g, Value x, boolean causal, @Nullable Value mask) {
    for (int i = 0; i < count; i++) {
      x = layer(g.at(i), x, causal, mask, null);
    }
    return x;
  }

  /**
   * All layers, watched: what they attend to become the outputs {@code layer0}, {@code layer1} ...
   * of the graph, [batch, heads, s, s].
   *
   * @param root the graph's root
   * @param g at {@code encoder.layers}
   * @param x [batch, s, width]
   * @param causal whether later rows are hidden
   * @param mask BOOL, true = attend, or null
   */
  void watched(GraphBuilder root, GraphBuilder g, Value x, boolean causal, @Nullable Value mask) {
    List<Value> kept = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      x = layer(g.at(i), x, causal, mask, kept);
      root.output("layer" + i, kept.get(i));
    }
  }

  /**
   * All layers for a caller who needs one row of the result: in the last layer only that row is
   * computed, for no other depends on it any more.
   *
   * @param g at {@code encoder.layers}
   * @param x [batch, s, width]
   * @param causal whether later rows are hidden
   * @param row which row is wanted
   * @param lastMask what the wanted row attends to, BOOL broadcast to [batch, heads, 1, s], or null
   *     for everything
   * @return [batch, 1, width]
   */
  Value one(GraphBuilder g, Value x, boolean causal, Row row, @Nullable Value lastMask) {
    for (int i = 0; i < count - 1; i++) {
      x = layer(g.at(i), x, causal, null, null);
    }
    GraphBuilder last = g.at(count - 1);
    Value h = last.layerNorm("layer_norm1", x, epsilon);
    GraphBuilder a = last.at("self_attn");
    Value attended =
        a.attention(
            a.linear("q_proj", row.of(a, h), width),
            a.linear("k_proj", h, width),
            a.linear("v_proj", h, width),
            heads,
            false,
            lastMask);
    return feedForward(last, last.add(row.of(last, x), a.linear("out_proj", attended, width)));
  }

  /** Picks one row of each sequence. */
  @FunctionalInterface
  interface Row {
    /**
     * The row.
     *
     * @param g any scope
     * @param x [batch, s, width]
     * @return [batch, 1, width]
     */
    Value of(GraphBuilder g, Value x);
  }

  private Value layer(
      GraphBuilder g, Value x, boolean causal, @Nullable Value mask, @Nullable List<Value> kept) {
    Value h = g.layerNorm("layer_norm1", x, epsilon);
    GraphBuilder a = g.at("self_attn");
    List<Value> attended =
        a.attention(
            a.linear("q_proj", h, width),
            a.linear("k_proj", h, width),
            a.linear("v_proj", h, width),
            mask,
            null,
            new Attributes.Attention(
                heads, heads, 1 / Math.sqrt(width / (double) heads), causal, 0, kept != null));
    if (kept != null) {
      kept.add(attended.get(1));
    }
    return feedForward(g, g.add(x, a.linear("out_proj", attended.get(0), width)));
  }

  private Value feedForward(GraphBuilder g, Value x) {
    return g.add(x, mlp(g.at("mlp"), g.layerNorm("layer_norm2", x, epsilon)));
  }

  /** {@code fc1}, activation, {@code fc2}. */
  Value mlp(GraphBuilder g, Value x) {
    return g.linear("fc2", g.unary(activation, g.linear("fc1", x, intermediate)), width);
  }
}
