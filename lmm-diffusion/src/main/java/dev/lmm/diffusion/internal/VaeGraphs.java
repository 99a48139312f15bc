package dev.lmm.diffusion.internal;

import static dev.lmm.diffusion.internal.Blocks.channels;
import static dev.lmm.diffusion.internal.Blocks.side;

import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import java.util.List;

/** {@code AutoencoderKL}: pictures to latents and back. Its group norms have epsilon 1e-6. */
final class VaeGraphs {
  private static final double EPSILON = 1e-6;

  private final VaeConfig c;

  private VaeGraphs(VaeConfig config) {
    this.c = config;
  }

  /**
   * {@code latents} [batch, channels, h, w] to {@code picture} [batch, 3, h', w'], about -1 to 1.
   */
  static Graph decoder(VaeConfig config, WeightUsage usage, int height, int width) {
    GraphBuilder root = new GraphBuilder("diffusion.vae_decoder", usage);
    Value x = root.input("latents", DType.F32, "batch", config.latentChannels(), height, width);
    root.output("picture", new VaeGraphs(config).decode(root, x));
    return root.build();
  }

  /**
   * {@code picture} [batch, 3, h, w], -1 to 1, to {@code moments} [batch, 2 * channels, h', w'].
   */
  static Graph encoder(VaeConfig config, WeightUsage usage, int height, int width) {
    GraphBuilder root = new GraphBuilder("diffusion.vae_encoder", usage);
    Value x = root.input("picture", DType.F32, "batch", 3, height, width);
    root.output("moments", new VaeGraphs(config).encode(root, x));
    return root.build();
  }

  private Value decode(GraphBuilder root, Value x) {
    if (c.postQuantConv()) {
      x = conv1(root, "post_quant_conv", x, c.latentChannels());
    }
    GraphBuilder g = root.at("decoder");
    int levels = c.channels().size();
    x = Blocks.conv3(g, "conv_in", x, c.channels().get(levels - 1));
    x = middle(g.at("mid_block"), x);
    for (int step = 0; step < levels; step++) {
      GraphBuilder block = g.at("up_blocks").at(step);
      int out = c.channels().get(levels - 1 - step);
      for (int i = 0; i <= c.layers(); i++) {
        x = resnet(block.at("resnets").at(i), x, out);
      }
      if (step < levels - 1) {
        x = Blocks.upsample(block, x, 2 * side(x, 2), 2 * side(x, 3));
      }
    }
    x = g.unary(Op.SILU, g.groupNorm("conv_norm_out", x, c.groups(), EPSILON));
    return Blocks.conv3(g, "conv_out", x, 3);
  }

  private Value encode(GraphBuilder root, Value x) {
    GraphBuilder g = root.at("encoder");
    int levels = c.channels().size();
    x = Blocks.conv3(g, "conv_in", x, c.channels().get(0));
    for (int level = 0; level < levels; level++) {
      GraphBuilder block = g.at("down_blocks").at(level);
      int out = c.channels().get(level);
      for (int i = 0; i < c.layers(); i++) {
        x = resnet(block.at("resnets").at(i), x, out);
      }
      if (level < levels - 1) {
        // Padded at the right and the bottom only.
        x = Blocks.conv(block, "downsamplers.0.conv", x, out, 3, 2, List.of(0, 0), List.of(1, 1));
      }
    }
    x = middle(g.at("mid_block"), x);
    x = g.unary(Op.SILU, g.groupNorm("conv_norm_out", x, c.groups(), EPSILON));
    x = Blocks.conv3(g, "conv_out", x, 2 * c.latentChannels());
    return c.quantConv() ? conv1(root, "quant_conv", x, 2 * c.latentChannels()) : x;
  }

  private Value middle(GraphBuilder g, Value x) {
    int width = (int) channels(x);
    x = resnet(g.at("resnets.0"), x, width);
    if (c.midAttention()) {
      x = attention(g.at("attentions.0"), x);
    }
    return resnet(g.at("resnets.1"), x, width);
  }

  private Value resnet(GraphBuilder g, Value x, int out) {
    return Blocks.resnet(g, x, out, null, c.groups(), EPSILON);
  }

  /** One head. Older files have older names. */
  private Value attention(GraphBuilder g, Value x) {
    long width = channels(x);
    boolean old = !g.has("to_q.weight");
    Value rows = Blocks.rows(g, g.groupNorm("group_norm", x, c.groups(), EPSILON));
    Value attended =
        g.attention(
            g.linear(old ? "query" : "to_q", rows, width),
            g.linear(old ? "key" : "to_k", rows, width),
            g.linear(old ? "value" : "to_v", rows, width),
            1,
            false,
            null);
    Value out = g.linear(old ? "proj_attn" : "to_out.0", attended, width);
    return g.add(Blocks.picture(g, out, x), x);
  }

  private static Value conv1(GraphBuilder g, String name, Value x, int out) {
    return Blocks.conv(g, name, x, out, 1, 1, List.of(0, 0), List.of(0, 0));
  }
}
