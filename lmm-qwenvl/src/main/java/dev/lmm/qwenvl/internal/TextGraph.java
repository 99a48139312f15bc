package dev.lmm.qwenvl.internal;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.qwenvl.internal.QwenConfig.TextConfig;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The language model: a step over kept keys and values. */
final class TextGraph {
  private TextGraph() {}

  /**
   * Builds the graph.
   *
   * @param prefix what the names of its weights begin with
   * @param tied whether the output layer is the embedding table
   */
  static Graph of(TextConfig config, String prefix, boolean tied, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("qwenvl.text", weights);
    GraphBuilder g = root.at(prefix);
    int width = config.hiddenSize();
    int half = config.headSize() / 2;
    Value ids = root.input("ids", DType.I64, "batch", "s");
    Value seen = root.input("seen", DType.F32, "batch", "s", width);
    Value isSeen = root.input("is_seen", DType.BOOL, "batch", "s", 1);
    Value angles = root.input("angles", DType.F32, "batch", "s", half);
    Value past = root.input("past", DType.I32, "batch");
    Value last = root.input("last", DType.I64, 1);
    Value cos = root.unary(Op.COS, angles);
    Value sin = root.unary(Op.SIN, angles);
    Value table = g.at("embed_tokens").weight("weight", config.vocabSize(), width);
    Value x = g.where(isSeen, seen, g.at("embed_tokens").embedding(ids, table));
    for (int i = 0; i < config.layers(); i++) {
      x = layer(config, i, g.at("layers"), x, cos, sin, past, new ArrayList<>());
    }
    // The head is wide: only the last entry goes through it.
    Value end = root.reshape(root.gather(x, last, 1), "batch", width);
    Value normed = g.rmsNorm("norm", end, config.epsilon());
    root.output(
        "logits",
        tied
            ? root.linear(normed, table, null)
            : root.linearNoBias("lm_head", normed, config.vocabSize()));
    return root.build();
  }

  /**
   * A whole text watched: {@code ids}, {@code seen}, {@code is_seen} and {@code angles} as in a
   * step to {@code layer0}, {@code layer1} ... [batch, heads, s, s], what entries attend to.
   */
  static Graph watched(TextConfig config, String prefix, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("qwenvl.text", weights);
    GraphBuilder g = root.at(prefix);
    int width = config.hiddenSize();
    Value ids = root.input("ids", DType.I64, "batch", "s");
    Value seen = root.input("seen", DType.F32, "batch", "s", width);
    Value isSeen = root.input("is_seen", DType.BOOL, "batch", "s", 1);
    Value angles = root.input("angles", DType.F32, "batch", "s", config.headSize() / 2);
    Value cos = root.unary(Op.COS, angles);
    Value sin = root.unary(Op.SIN, angles);
    Value table = g.at("embed_tokens").weight("weight", config.vocabSize(), width);
    Value x = g.where(isSeen, seen, g.at("embed_tokens").embedding(ids, table));
    for (int i = 0; i < config.layers(); i++) {
      List<Value> kept = new ArrayList<>();
      x = layer(config, i, g.at("layers"), x, cos, sin, null, kept);
      root.output("layer" + i, kept.get(0));
    }
    return root.build();
  }

  /** With {@code past} over kept entries; without, over all of x, whose probabilities are kept. */
  private static Value layer(
      TextConfig config,
      int index,
      GraphBuilder layers,
      Value x,
      Value cos,
      Value sin,
      @Nullable Value past,
      List<Value> kept) {
    GraphBuilder g = layers.at(index);
    GraphBuilder a = g.at("self_attn");
    int window = config.windows().get(index);
    int heads = config.heads();
    int kvHeads = config.kvHeads();
    int head = config.headSize();
    long queries = (long) heads * head;
    long keys = (long) kvHeads * head;
    Value n = g.rmsNorm("input_layernorm", x, config.epsilon());
    Value query = a.rotary(a.linear("q_proj", n, queries), cos, sin, heads, false);
    Value key = a.rotary(a.linear("k_proj", n, keys), cos, sin, kvHeads, false);
    Value value = a.linear("v_proj", n, keys);
    double scale = 1 / Math.sqrt(head);
    Value attended;
    if (past == null) {
      List<Value> read =
          a.attention(
              query,
              key,
              value,
              null,
              null,
              new Attributes.Attention(heads, kvHeads, scale, true, window, true));
      attended = read.get(0);
      kept.add(read.get(1));
    } else {
      attended =
          a.cachedAttention(
              query,
              key,
              value,
              g.state("keys", DType.F32, "batch", kvHeads, "capacity", head),
              g.state("values", DType.F32, "batch", kvHeads, "capacity", head),
              past,
              null,
              new Attributes.CachedAttention(heads, kvHeads, scale, window));
    }
    Value h = g.add(x, a.linearNoBias("o_proj", attended, config.hiddenSize()));
    GraphBuilder m = g.at("mlp");
    Value normed = g.rmsNorm("post_attention_layernorm", h, config.epsilon());
    Value gate = m.unary(Op.SILU, m.linearNoBias("gate_proj", normed, config.intermediateSize()));
    Value up = m.linearNoBias("up_proj", normed, config.intermediateSize());
    return g.add(h, m.linearNoBias("down_proj", m.mul(gate, up), config.hiddenSize()));
  }
}
