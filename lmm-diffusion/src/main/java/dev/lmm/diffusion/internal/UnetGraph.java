package dev.lmm.diffusion.internal;

import static dev.lmm.diffusion.internal.Blocks.channels;
import static dev.lmm.diffusion.internal.Blocks.side;

import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * {@code UNet2DConditionModel}: predicts the noise in latents.
 *
 * <p>Inputs: {@code sample} [batch, channels, height, width], {@code time} [1, channels of the
 * first level] (the timestep's sines and cosines, made in Java), {@code context} [batch, tokens,
 * width], and for SDXL {@code added} [batch, width]. Output {@code noise}, of sample's size.
 */
final class UnetGraph {
  private final UnetConfig c;

  private UnetGraph(UnetConfig config) {
    this.c = config;
  }

  /**
   * Writes the graph for one size of latents.
   *
   * @param height of the latents
   * @param width of the latents
   */
  static Graph of(UnetConfig config, WeightUsage usage, int height, int width) {
    GraphBuilder g = new GraphBuilder("diffusion.unet", usage);
    new UnetGraph(config).write(g, height, width);
    return g.build();
  }

  private void write(GraphBuilder g, int height, int width) {
    Value x = g.input("sample", DType.F32, "batch", c.inChannels(), height, width);
    Value time =
        embedded(g.at("time_embedding"), g.input("time", DType.F32, 1, c.channels().get(0)));
    Value context = g.input("context", DType.F32, "batch", "tokens", c.contextWidth());
    if (c.addedTime() > 0) {
      Value added = g.input("added", DType.F32, "batch", c.addedWidth());
      time = g.add(embedded(g.at("add_embedding"), added), time);
    }
    // Every block begins with this activation.
    time = g.unary(Op.SILU, time);

    x = Blocks.conv3(g, "conv_in", x, c.channels().get(0));
    Deque<Value> skips = new ArrayDeque<>();
    skips.push(x);
    int levels = c.channels().size();
    for (int level = 0; level < levels; level++) {
      GraphBuilder block = g.at("down_blocks").at(level);
      for (int i = 0; i < c.layers(); i++) {
        x = resnet(block.at("resnets").at(i), x, c.channels().get(level), time);
        if (c.downAttends().get(level)) {
          x = transformer(block.at("attentions").at(i), x, context, level);
        }
        skips.push(x);
      }
      if (level < levels - 1) {
        int out = c.channels().get(level);
        x = Blocks.conv(block, "downsamplers.0.conv", x, out, 3, 2, List.of(1, 1), List.of(1, 1));
        skips.push(x);
      }
    }

    GraphBuilder mid = g.at("mid_block");
    int widest = c.channels().get(levels - 1);
    x = resnet(mid.at("resnets.0"), x, widest, time);
    x = transformer(mid.at("attentions.0"), x, context, levels - 1);
    x = resnet(mid.at("resnets.1"), x, widest, time);

    for (int step = 0; step < levels; step++) {
      int level = levels - 1 - step;
      GraphBuilder block = g.at("up_blocks").at(step);
      for (int i = 0; i <= c.layers(); i++) {
        x = g.concat(1, x, skips.pop());
        x = resnet(block.at("resnets").at(i), x, c.channels().get(level), time);
        if (c.upAttends().get(step)) {
          x = transformer(block.at("attentions").at(i), x, context, level);
        }
      }
      if (level > 0) {
        // The size of what comes next, which is not twice this one's where a side was odd.
        Value next = skips.element();
        x = Blocks.upsample(block, x, side(next, 2), side(next, 3));
      }
    }
    x = g.unary(Op.SILU, g.groupNorm("conv_norm_out", x, c.groups(), c.epsilon()));
    g.output("noise", Blocks.conv3(g, "conv_out", x, c.outChannels()));
  }

  private Value embedded(GraphBuilder g, Value x) {
    int width = 4 * c.channels().get(0);
    return g.linear("linear_2", g.unary(Op.SILU, g.linear("linear_1", x, width)), width);
  }

  private Value resnet(GraphBuilder g, Value x, int out, Value time) {
    return Blocks.resnet(g, x, out, time, c.groups(), c.epsilon());
  }

  private Value transformer(GraphBuilder g, Value x, Value context, int level) {
    long width = channels(x);
    int heads = c.heads().get(level);
    Value rows = Blocks.rows(g, g.groupNorm("norm", x, c.groups(), 1e-6));
    rows =
        c.linearProjection()
            ? g.linear("proj_in", rows, width)
            : Blocks.linear1x1(g, "proj_in", rows, width);
    for (int i = 0; i < c.depth().get(level); i++) {
      GraphBuilder b = g.at("transformer_blocks").at(i);
      Value h = b.layerNorm("norm1", rows, 1e-5);
      rows = b.add(rows, attention(b.at("attn1"), h, h, heads));
      h = b.layerNorm("norm2", rows, 1e-5);
      rows = b.add(rows, attention(b.at("attn2"), h, context, heads));
      rows = b.add(rows, feedForward(b.at("ff.net"), b.layerNorm("norm3", rows, 1e-5)));
    }
    rows =
        c.linearProjection()
            ? g.linear("proj_out", rows, width)
            : Blocks.linear1x1(g, "proj_out", rows, width);
    return g.add(Blocks.picture(g, rows, x), x);
  }

  private static Value attention(GraphBuilder g, Value x, Value context, int heads) {
    long width = x.dim(-1).fixed().orElseThrow();
    Value attended =
        g.attention(
            g.linearNoBias("to_q", x, width),
            g.linearNoBias("to_k", context, width),
            g.linearNoBias("to_v", context, width),
            heads,
            false,
            null);
    return g.linear("to_out.0", attended, width);
  }

  /** Gated: the second half of the first layer is the gate. */
  private static Value feedForward(GraphBuilder g, Value x) {
    long width = x.dim(-1).fixed().orElseThrow();
    long inner = 4 * width;
    GraphBuilder p = g.at("0.proj");
    long[] stored = {2 * inner, width};
    Value hidden =
        p.linear(
            x,
            p.weightRows("weight", stored, 0, inner),
            p.weightRows("bias", new long[] {2 * inner}, 0, inner));
    Value gate =
        p.linear(
            x,
            p.weightRows("weight", stored, inner, inner),
            p.weightRows("bias", new long[] {2 * inner}, inner, inner));
    return g.linear("2", g.mul(hidden, g.unary(Op.GELU, gate)), width);
  }
}
