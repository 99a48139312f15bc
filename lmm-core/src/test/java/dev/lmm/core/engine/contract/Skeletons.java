package dev.lmm.core.engine.contract;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Attributes.ResizeMode;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Layers of the families to come, small, so that the operators are known to be enough. */
public final class Skeletons {
  private Skeletons() {}

  /** All skeletons without state, by name. */
  public static Map<String, Consumer<ContractCase>> all() {
    Map<String, Consumer<ContractCase>> cases = new LinkedHashMap<>();
    cases.put("t5-layer", Skeletons::t5Layer);
    cases.put("unet-block", Skeletons::unetBlock);
    cases.put("window-layer", Skeletons::windowLayer);
    cases.put("attention-pooling", Skeletons::attentionPooling);
    cases.put("one-row", Skeletons::oneRow);
    cases.put("experts-layer", Skeletons::expertsLayer);
    return cases;
  }

  /** T5's encoder layer: no scale, a learned bias for each distance, RMS norms, gated GELU. */
  private static void t5Layer(ContractCase c) {
    GraphBuilder g = c.g();
    Value x = c.floats("x", "b", "s", 8);
    Value mask = c.mask("mask", "b", 1, 1, "s");
    // Java computes the bucket of each distance; the graph looks its bias up.
    Value buckets = c.longs("buckets", 5, "s", "s");
    GraphBuilder a = g.at("layer.0.SelfAttention");
    Value bias = a.embedding("relative_attention_bias", buckets, 5, 2);
    Value perHead = g.reshape(g.transpose(bias, 2, 0, 1), 1, 2, "s", "s");
    Value h = g.rmsNorm("layer.0.layer_norm", x, 1e-6);
    Value attended =
        a.attention(
                a.linearNoBias("q", h, 8),
                a.linearNoBias("k", h, 8),
                a.linearNoBias("v", h, 8),
                mask,
                perHead,
                new Attributes.Attention(2, 2, 1, false, 0, false))
            .get(0);
    Value y = g.add(x, a.linearNoBias("o", attended, 8));
    GraphBuilder f = g.at("layer.1.DenseReluDense");
    Value n = g.rmsNorm("layer.1.layer_norm", y, 1e-6);
    Value gated =
        g.mul(g.unary(Op.GELU_TANH, f.linearNoBias("wi_0", n, 12)), f.linearNoBias("wi_1", n, 12));
    g.output("y", g.add(y, f.linearNoBias("wo", gated, 8)));
  }

  /** Stable Diffusion's up block: residual block, cross-attention, resize to the skip's size. */
  private static void unetBlock(ContractCase c) {
    GraphBuilder g = c.g();
    Dim s = Dim.symbol("s");
    Value x = c.floats("x", "b", 8, "s", 3);
    Value skip = c.floats("skip", "b", 4, s.times(2).plus(1), 5);
    Value time = c.floats("time", "b", 6);
    Value text = c.floats("text", "b", 7, 10);
    Value h = g.unary(Op.SILU, g.groupNorm("norm1", x, 4, 1e-5));
    h = g.conv(h, g.weight("conv1.weight", 8, 8, 3, 3), g.weight("conv1.bias", 8), 1, 1);
    Value shift = g.linear("time_emb_proj", g.unary(Op.SILU, time), 8);
    h = g.add(h, g.reshape(shift, "b", 8, 1, 1));
    h = g.unary(Op.SILU, g.groupNorm("norm2", h, 4, 1e-5));
    h = g.conv(h, g.weight("conv2.weight", 8, 8, 3, 3), g.weight("conv2.bias", 8), 1, 1);
    x = g.add(x, h);
    Value tokens = g.reshape(g.transpose(x, 0, 2, 3, 1), "b", s.times(3), 8);
    GraphBuilder a = g.at("attn2");
    Value n = g.layerNorm("attn_norm", tokens, 1e-5);
    Value attended =
        a.attention(
            a.linearNoBias("to_q", n, 8),
            a.linearNoBias("to_k", text, 8),
            a.linearNoBias("to_v", text, 8),
            2,
            false,
            null);
    tokens = g.add(tokens, a.linear("to_out.0", attended, 8));
    x = g.transpose(g.reshape(tokens, "b", "s", 3, 8), 0, 3, 1, 2);
    Value grown =
        g.resize(
            x,
            new Attributes.Resize(
                new Shape(List.of(skip.dim(2), skip.dim(3))), ResizeMode.NEAREST, false, false));
    Value joined = g.concat(1, grown, skip);
    g.output("y", g.conv(joined, g.weight("up.weight", 8, 12, 3, 3), g.weight("up.bias", 8), 1, 1));
    // The autoencoder pads one side only before it halves.
    g.output(
        "down",
        g.conv(
            skip,
            g.weight("down.weight", 4, 4, 3, 3),
            null,
            new Attributes.Conv(List.of(2, 2), List.of(1, 1), List.of(0, 0), List.of(1, 1), 1)));
  }

  /** Qwen2.5-VL's vision layer: tokens put into windows by an index, attention within each. */
  private static void windowLayer(ContractCase c) {
    GraphBuilder g = c.g();
    Value x = c.floats("x", "s", 8);
    Value index = c.longs("window_index", 1, "b", 4);
    Value inside = c.mask("inside", "b", 1, 1, 4);
    Value angles = c.floats("angles", "b", 4, 2);
    Value windows = g.gather(g.rmsNorm("norm1", x, 1e-6), index, 0);
    Value qkv = g.linear("attn.qkv", windows, 24);
    Value cos = g.unary(Op.COS, angles);
    Value sin = g.unary(Op.SIN, angles);
    Value y =
        g.attention(
            g.rotary(g.slice(qkv, -1, 0, 8), cos, sin, 2, false),
            g.rotary(g.slice(qkv, -1, 8, 16), cos, sin, 2, false),
            g.slice(qkv, -1, 16, 24),
            2,
            false,
            inside);
    g.output("windows", g.linear("attn.proj", y, 8));
    Value gate = g.unary(Op.SILU, g.linear("mlp.gate_proj", windows, 12));
    Value mlp = g.linear("mlp.down_proj", g.mul(gate, g.linear("mlp.up_proj", windows, 12)), 8);
    g.output("mlp", mlp);
  }

  /** SigLIP's head: a learned probe attends to all patches that are there. */
  private static void attentionPooling(ContractCase c) {
    GraphBuilder g = c.g();
    Value x = c.floats("x", "b", "s", 8);
    Value mask = c.mask("mask", "b", 1, 1, "s");
    GraphBuilder h = g.at("head");
    Value probe = g.expand(h.weight("probe", 1, 1, 8), "b", 1, 8);
    long[] fused = {24, 8};
    GraphBuilder a = h.at("attention");
    Value q = g.linear(probe, a.weightRows("in_proj_weight", fused, 0, 8), null);
    Value k = g.linear(x, a.weightRows("in_proj_weight", fused, 8, 8), null);
    Value v = g.linear(x, a.weightRows("in_proj_weight", fused, 16, 8), null);
    Value pooled = a.linear("out_proj", g.attention(q, k, v, 2, false, mask), 8);
    Value n = h.layerNorm("layernorm", pooled, 1e-6);
    Value mlp = h.linear("mlp.fc2", g.unary(Op.GELU_TANH, h.linear("mlp.fc1", n, 16)), 8);
    g.output("pooled", g.reshape(g.add(pooled, mlp), "b", 8));
    // NaFlex: one learned grid of positions, resized for the picture's own grid.
    Value grid = g.reshape(h.weight("positions", 9, 8), 1, 3, 3, 8);
    Value resized =
        g.resize(
            g.transpose(grid, 0, 3, 1, 2),
            new Attributes.Resize(Shape.of("s", 2), ResizeMode.LINEAR, false, true));
    g.output("positions", resized);
  }

  /**
   * The last layer of a tower of which one row is read: CLIP's class token, the end of a text, a
   * query into two memories of other widths, and one that sees nothing.
   */
  private static void oneRow(ContractCase c) {
    GraphBuilder g = c.g();
    Value x = c.floats("x", "b", "s", 8);
    Value other = c.turned("other", "b", "s", 6);
    Value mask = c.mask("mask", "b", 1, 1, "s");
    Value perHead = c.mask("per_head", "b", 2, 1, "s");
    Value q = g.linear("q", g.slice(x, 1, 0, 1), 8);
    g.output("class", g.attention(q, g.linear("k", x, 8), g.linear("v", x, 8), 2, false, null));
    g.output(
        "two", g.attention(q, g.linear("k2", other, 8), g.linear("v2", x, 12), 4, false, mask));
    Value nothing = g.binary(Op.AND, mask, g.constant("no", new boolean[] {false}, 1));
    g.output(
        "nothing", g.attention(q, g.linear("k3", x, 8), g.linear("v3", x, 8), 2, false, nothing));
    g.output(
        "per-head", g.attention(q, g.linear("k4", x, 8), g.linear("v4", x, 8), 2, false, perHead));
    Value keys = g.linear("k5", x, 8);
    g.output("read-twice", g.attention(q, keys, g.linear("v5", x, 8), 2, false, null));
    g.output("keys", keys);
    g.output("causal", g.attention(q, g.linear("k6", x, 8), g.linear("v6", x, 8), 2, true, null));
  }

  /** A router that sends each token to its two best experts. */
  private static void expertsLayer(ContractCase c) {
    GraphBuilder g = c.g();
    Dim tokens = Dim.symbol("b").times(Dim.symbol("s"));
    Value x = g.reshape(c.floats("x", "b", "s", 8), tokens, 8);
    Value scores = g.softmax(g.linearNoBias("router", x, 5), -1);
    Value best = g.topK(scores, -1, 2).get(0);
    Value limit = g.slice(best, -1, 1, 2);
    Value kept = g.where(g.binary(Op.LESS, scores, limit), g.scalar(0), scores);
    Value routing = g.div(kept, g.reduce(Op.REDUCE_SUM, kept, true, -1));
    g.output(
        "y",
        g.experts(
            x,
            routing,
            g.weight("gate", 5, 6, 8),
            g.weight("up", 5, 6, 8),
            g.weight("down", 5, 8, 6),
            Attributes.Activation.SILU));
  }

  /**
   * A decoder layer: rotary, grouped heads, and attention over kept keys, or over the whole text at
   * once.
   *
   * @param c the case
   * @param cached whether with state
   */
  static void decoder(ContractCase c, boolean cached) {
    GraphBuilder g = c.g();
    Value x = c.floats("x", "b", "s", 12);
    Value angles = c.floats("angles", "b", "s", 2);
    Value cos = g.unary(Op.COS, angles);
    Value sin = g.unary(Op.SIN, angles);
    GraphBuilder a = g.at("self_attn");
    Value n = g.rmsNorm("input_layernorm", x, 1e-6);
    Value q = g.rotary(a.linear("q_proj", n, 24), cos, sin, 6, false);
    Value k = g.rotary(a.linear("k_proj", n, 8), cos, sin, 2, false);
    Value v = a.linear("v_proj", n, 8);
    Value attended;
    if (cached) {
      Value past = g.input("past", DType.I32, "b");
      Value keys = g.state("keys", DType.F32, "b", 2, "capacity", 4);
      Value values = g.state("values", DType.F32, "b", 2, "capacity", 4);
      attended =
          g.cachedAttention(
              q, k, v, keys, values, past, null, new Attributes.CachedAttention(6, 2, 0.5, 0));
    } else {
      attended =
          g.attention(q, k, v, null, null, new Attributes.Attention(6, 2, 0.5, true, 0, false))
              .get(0);
    }
    Value y = g.add(x, a.linearNoBias("o_proj", attended, 12));
    Value m = g.rmsNorm("post_attention_layernorm", y, 1e-6);
    Value gated =
        g.mul(
            g.unary(Op.SILU, g.linearNoBias("gate_proj", m, 20)), g.linearNoBias("up_proj", m, 20));
    g.output("y", g.add(y, g.linearNoBias("down_proj", gated, 12)));
  }
}
