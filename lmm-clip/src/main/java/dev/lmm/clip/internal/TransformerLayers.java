package dev.lmm.clip.internal;

import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
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
      x = layer(g.at(i), x, causal, mask);
    }
    return x;
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
      x = layer(g.at(i), x, causal, null);
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

  private Value layer(GraphBuilder g, Value x, boolean causal, @Nullable Value mask) {
    Value h = g.layerNorm("layer_norm1", x, epsilon);
    GraphBuilder a = g.at("self_attn");
    Value attended =
        a.attention(
            a.linear("q_proj", h, width),
            a.linear("k_proj", h, width),
            a.linear("v_proj", h, width),
            heads,
            causal,
            mask);
    return feedForward(g, g.add(x, a.linear("out_proj", attended, width)));
  }

  private Value feedForward(GraphBuilder g, Value x) {
    return g.add(x, mlp(g.at("mlp"), g.layerNorm("layer_norm2", x, epsilon)));
  }

  /** {@code fc1}, activation, {@code fc2}. */
  Value mlp(GraphBuilder g, Value x) {
    return g.linear("fc2", g.unary(activation, g.linear("fc1", x, intermediate)), width);
  }
}
