package dev.lmm.diffusion.internal;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightRef;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The blocks that UNet and autoencoder have in common; pictures are [batch, channels, h, w]. */
final class Blocks {
  private Blocks() {}

  static long channels(Value x) {
    return x.dim(1).fixed().orElseThrow();
  }

  static long side(Value x, int axis) {
    return x.dim(axis).fixed().orElseThrow();
  }

  /** A 3x3 convolution that keeps the size. */
  static Value conv3(GraphBuilder g, String name, Value x, int out) {
    return conv(g, name, x, out, 3, 1, List.of(1, 1), List.of(1, 1));
  }

  static Value conv(
      GraphBuilder g,
      String name,
      Value x,
      int out,
      int kernel,
      int stride,
      List<Integer> before,
      List<Integer> after) {
    GraphBuilder c = g.at(name);
    return c.conv(
        x,
        c.weight("weight", out, channels(x), kernel, kernel),
        c.weight("bias", out),
        new Attributes.Conv(List.of(stride, stride), List.of(1, 1), before, after, 1));
  }

  /**
   * A residual block.
   *
   * @param time the embedded timestep [batch, width] after its activation, or null
   */
  static Value resnet(
      GraphBuilder g, Value x, int out, @Nullable Value time, int groups, double epsilon) {
    Value h = g.unary(Op.SILU, g.groupNorm("norm1", x, groups, epsilon));
    h = conv3(g, "conv1", h, out);
    if (time != null) {
      Value shift = g.linear("time_emb_proj", time, out);
      h = g.add(h, g.reshape(shift, shift.dim(0), out, 1, 1));
    }
    h = g.unary(Op.SILU, g.groupNorm("norm2", h, groups, epsilon));
    h = conv3(g, "conv2", h, out);
    if (channels(x) != out) {
      x = conv(g, "conv_shortcut", x, out, 1, 1, List.of(0, 0), List.of(0, 0));
    }
    return g.add(x, h);
  }

  /** Nearest neighbours up to a size, then a convolution. */
  static Value upsample(GraphBuilder g, Value x, long height, long width) {
    Value larger = enlarge(g, x, height, width);
    return conv3(g, "upsamplers.0.conv", larger, (int) channels(x));
  }

  /** Nearest neighbours up to a size. */
  static Value enlarge(GraphBuilder g, Value x, long height, long width) {
    return g.resize(
        x,
        new Attributes.Resize(
            Shape.ofFixed(height, width), Attributes.ResizeMode.NEAREST, false, false));
  }

  /** To rows: [batch, h*w, channels]. */
  static Value rows(GraphBuilder g, Value x) {
    Value flat = g.reshape(x, x.dim(0), channels(x), side(x, 2) * side(x, 3));
    return g.transpose(flat, 0, 2, 1);
  }

  /** Back from rows to the size of a picture. */
  static Value picture(GraphBuilder g, Value rows, Value like) {
    Value flat = g.transpose(rows, 0, 2, 1);
    return g.reshape(flat, flat.dim(0), flat.dim(1), side(like, 2), side(like, 3));
  }

  /** A linear layer whose weight is stored as a 1x1 convolution's. */
  static Value linear1x1(GraphBuilder g, String name, Value rows, long out) {
    GraphBuilder c = g.at(name);
    long in = rows.dim(-1).fixed().orElseThrow();
    String path = c.path() + ".weight";
    Value weight =
        c.weight(
            new WeightRef(path, new long[] {out, in, 1, 1}, 0, out, false, new long[] {out, in}));
    return c.linear(rows, weight, c.weight("bias", out));
  }
}
