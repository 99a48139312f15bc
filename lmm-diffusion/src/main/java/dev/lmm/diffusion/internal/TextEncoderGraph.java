package dev.lmm.diffusion.internal;

import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;

/**
 * CLIP's text tower as diffusion pipelines use it: every layer's state, with and without the final
 * norm, and the pooled embedding.
 */
final class TextEncoderGraph {
  private TextEncoderGraph() {}

  /**
   * Writes the graph. Inputs: {@code ids} [batch, tokens], and {@code end} [batch] if there is a
   * projection: the row of the first end token in all rows of the batch. Outputs: {@code hidden.N}
   * and {@code normed.N} [batch, tokens, width] for the state after N layers; {@code pooled}
   * [batch, projection].
   *
   * @param words whether some tokens have learned vectors instead of their own: those for which
   *     {@code learned} [batch, tokens, 1] holds, the row {@code rows} [batch, tokens] of {@code
   *     vectors} [words, width]
   */
  static Graph of(TextEncoderConfig c, String part, WeightUsage usage, boolean words) {
    GraphBuilder root = new GraphBuilder("diffusion." + part, usage);
    Value ids = root.input("ids", DType.I64, "batch", "tokens");
    // transformers 5 saves the tower without its prefix; published files have it.
    GraphBuilder g = usage.has("text_model.final_layer_norm.weight") ? root.at("text_model") : root;
    GraphBuilder embeddings = g.at("embeddings");
    Value positions = embeddings.weight("position_embedding.weight", c.positions(), c.hiddenSize());
    Value x = embeddings.embedding("token_embedding", ids, c.vocabSize(), c.hiddenSize());
    if (words) {
      Value vectors = root.input("vectors", DType.F32, "words", c.hiddenSize());
      Value rows = root.input("rows", DType.I64, "batch", "tokens");
      Value learned = root.input("learned", DType.BOOL, "batch", "tokens", 1);
      x = root.where(learned, root.embedding(rows, vectors), x);
    }
    x = embeddings.add(x, embeddings.slice(positions, 0, Dim.of(0), ids.dim(1)));
    for (int i = 0; i <= c.layers(); i++) {
      x = i == 0 ? x : layer(g.at("encoder.layers").at(i - 1), x, c, true);
      root.output("hidden." + i, x);
      root.output("normed." + i, g.layerNorm("final_layer_norm", x, c.epsilon()));
    }
    if (c.projection() > 0) {
      Value end = root.input("end", DType.I64, "batch");
      Value last = g.layerNorm("final_layer_norm", x, c.epsilon());
      Value rows =
          root.reshape(last, Dim.symbol("batch").times(Dim.symbol("tokens")), c.hiddenSize());
      root.output(
          "pooled",
          root.linearNoBias("text_projection", root.gather(rows, end, 0), c.projection()));
    }
    return root.build();
  }

  /** A layer of one of CLIP's towers; that of the texts looks back only. */
  static Value layer(GraphBuilder g, Value x, TextEncoderConfig c, boolean causal) {
    Value h = g.layerNorm("layer_norm1", x, c.epsilon());
    GraphBuilder a = g.at("self_attn");
    Value attended =
        a.attention(
            a.linear("q_proj", h, c.hiddenSize()),
            a.linear("k_proj", h, c.hiddenSize()),
            a.linear("v_proj", h, c.hiddenSize()),
            c.heads(),
            causal,
            null);
    x = g.add(x, a.linear("out_proj", attended, c.hiddenSize()));
    h = g.layerNorm("layer_norm2", x, c.epsilon());
    GraphBuilder mlp = g.at("mlp");
    h = mlp.unary(c.activation(), mlp.linear("fc1", h, c.intermediateSize()));
    return g.add(x, mlp.linear("fc2", h, c.hiddenSize()));
  }
}
