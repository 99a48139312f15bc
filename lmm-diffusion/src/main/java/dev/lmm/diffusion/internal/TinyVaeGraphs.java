package dev.lmm.diffusion.internal;

import static dev.lmm.diffusion.internal.Blocks.channels;
import static dev.lmm.diffusion.internal.Blocks.side;

import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;

/**
 * {@code AutoencoderTiny} (madebyollin's TAESD): convolutions and small residual blocks, numbered
 * through. Pictures are from 0 to 1 within.
 */
final class TinyVaeGraphs {
  private final TinyVaeConfig c;
  private final GraphBuilder layers;
  private final boolean mayPool;
  private int layer;

  private TinyVaeGraphs(TinyVaeConfig config, GraphBuilder layers, WeightUsage usage) {
    this.c = config;
    this.layers = layers;
    // Only a file tells whether blocks pool, no config does; made-up weights have any tensor.
    this.mayPool = !usage.source().isOpenEnded();
  }

  /** See {@link Codec#decoder}. */
  static Graph decoder(TinyVaeConfig config, WeightUsage usage, int height, int width) {
    GraphBuilder root = new GraphBuilder("diffusion.vae_decoder", usage);
    Value x = root.input("latents", DType.F32, "batch", config.latentChannels(), height, width);
    x = new TinyVaeGraphs(config, root.at("decoder.layers"), usage).decode(x);
    root.output("picture", root.sub(root.scale(x, 2), root.scalar(1)));
    return root.build();
  }

  /** See {@link Codec#encoder}: {@code encoded} [batch, channels, h', w']. */
  static Graph encoder(TinyVaeConfig config, WeightUsage usage, int height, int width) {
    GraphBuilder root = new GraphBuilder("diffusion.vae_encoder", usage);
    Value x = root.input("picture", DType.F32, "batch", 3, height, width);
    x = root.scale(root.add(x, root.scalar(1)), 0.5);
    root.output("encoded", new TinyVaeGraphs(config, root.at("encoder.layers"), usage).encode(x));
    return root.build();
  }

  private Value decode(Value x) {
    // Large latents are bent, not cut.
    x = layers.scale(layers.unary(Op.TANH, layers.scale(x, 1 / 3.0)), 3);
    x = layers.unary(c.activation(), Blocks.conv3(next(), "", x, c.decoderChannels().get(0)));
    // The activation has a number too.
    layer++;
    int levels = c.decoderChannels().size();
    for (int level = 0; level < levels; level++) {
      int own = c.decoderChannels().get(level);
      for (int i = 0; i < c.decoderBlocks().get(level); i++) {
        x = block(next(), x, own);
      }
      if (level == levels - 1) {
        return Blocks.conv3(next(), "", x, 3);
      }
      layer++;
      Value larger = Blocks.enlarge(layers, x, 2 * side(x, 2), 2 * side(x, 3));
      x = plain(next(), larger, own, 1);
    }
    throw new IllegalStateException("no level");
  }

  private Value encode(Value x) {
    for (int level = 0; level < c.encoderChannels().size(); level++) {
      int own = c.encoderChannels().get(level);
      x = level == 0 ? Blocks.conv3(next(), "", x, own) : plain(next(), x, own, 2);
      for (int i = 0; i < c.encoderBlocks().get(level); i++) {
        x = block(next(), x, own);
      }
    }
    return Blocks.conv3(next(), "", x, c.latentChannels());
  }

  private GraphBuilder next() {
    return layers.at(layer++);
  }

  /** A 3x3 convolution without bias. */
  private static Value plain(GraphBuilder g, Value x, int out, int stride) {
    return g.conv(x, g.weight("weight", out, channels(x), 3, 3), null, stride, 1);
  }

  private Value block(GraphBuilder g, Value x, int out) {
    if (mayPool && g.has("pool.0.weight")) {
      x = g.add(x, pool(g.at("pool"), x));
    }
    Value h = g.unary(c.activation(), Blocks.conv3(g, "conv.0", x, out));
    h = g.unary(c.activation(), Blocks.conv3(g, "conv.2", h, out));
    h = Blocks.conv3(g, "conv.4", h, out);
    Value skip = channels(x) == out ? x : narrow(g.at("skip"), x, out);
    return g.unary(Op.RELU, g.add(h, skip));
  }

  /** What the middle blocks of newer ones (taef2) add first. */
  private static Value pool(GraphBuilder g, Value x) {
    Value h = narrow(g.at("0"), x, 4 * channels(x));
    h = g.unary(Op.RELU, g.groupNorm("1", h, 4, 1e-5));
    return narrow(g.at("3"), h, channels(x));
  }

  /** A 1x1 convolution without bias. */
  private static Value narrow(GraphBuilder g, Value x, long out) {
    return g.conv(x, g.weight("weight", out, channels(x), 1, 1), null, 1, 0);
  }
}
