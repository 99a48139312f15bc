package dev.lmm.qwenvl.internal;

import dev.lmm.Check;
import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.qwenvl.internal.QwenConfig.VisionConfig;
import org.jspecify.annotations.Nullable;

/**
 * The vision tower of Qwen2-VL and Qwen2.5-VL. Patches stay in the processor's order, cell by cell,
 * so that four neighbours merge; blocks with windows gather each window's patches, padded to a
 * whole window, and scatter what they give back.
 */
final class VisionGraph {
  private static final double EPSILON = 1e-6;

  private final VisionConfig config;
  private final int width;
  // Lengths: "grids" times of a video, "cells" in each, "windows" over all times.
  private final Dim patches;

  private VisionGraph(VisionConfig config) {
    this.config = config;
    this.width = config.hiddenSize();
    this.patches = Dim.symbol("cells").times(config.cell());
  }

  /**
   * What all blocks share.
   *
   * @param cos [patches, d/2]
   * @param sin [patches, d/2]
   * @param windows I64 [windows, window]: which patch, counted over all times, stands where; null,
   *     as the next two, where no block has windows
   * @param real BOOL [windows, 1, 1, window]: whether one stands there
   * @param back I64 [grids, patches]: where each patch stands in the windows
   */
  private record Places(
      Value cos, Value sin, @Nullable Value windows, @Nullable Value real, @Nullable Value back) {}

  /** Builds the graph; the weights lie below a prefix. */
  static Graph of(VisionConfig config, String prefix, WeightUsage weights) {
    return new VisionGraph(config).build(prefix, weights);
  }

  private Graph build(String prefix, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("qwenvl.vision", weights);
    GraphBuilder g = root.at(prefix);
    int cell = config.cell();
    int half = config.headSize() / 2;
    Value pixels = g.input("pixels", DType.F32, "grids", "cells", cell * config.patch());
    Value cos = g.reshape(g.input("cos", DType.F32, "cells", cell * half), patches, half);
    Value sin = g.reshape(g.input("sin", DType.F32, "cells", cell * half), patches, half);
    Places places = new Places(cos, sin, null, null, null);
    if (config.windowed()) {
      int window = config.windowCells() * config.windowCells() * cell;
      places =
          new Places(
              cos,
              sin,
              g.input("windows", DType.I64, "windows", window),
              g.input("real", DType.BOOL, "windows", 1, 1, window),
              g.reshape(g.input("back", DType.I64, "grids", "cells", cell), "grids", patches));
    }
    Value x = g.reshape(pixels, "grids", patches, config.patch());
    x = g.at("patch_embed.proj").linear(x, kernel(g.at("patch_embed.proj")), null);
    for (int i = 0; i < config.depth(); i++) {
      x = block(g.at("blocks").at(i), x, places, config.full(i));
    }
    root.output("features", merger(g.at("merger"), x));
    return root.build();
  }

  /** The convolution's kernel as a matrix: a patch is a row of its numbers. */
  private Value kernel(GraphBuilder g) {
    int side = config.patchSize();
    long[] stored = {width, config.channels(), config.temporalPatchSize(), side, side};
    return g.weight(
        new WeightRef(
            g.path() + ".weight", stored, 0, width, false, new long[] {width, config.patch()}));
  }

  private Value block(GraphBuilder g, Value x, Places places, boolean full) {
    GraphBuilder a = g.at("attn");
    Value n = norm(g, "norm1", x);
    Value q = a.rotary(third(a, n, 0), places.cos(), places.sin(), config.heads(), false);
    Value k = a.rotary(third(a, n, 1), places.cos(), places.sin(), config.heads(), false);
    Value v = third(a, n, 2);
    Value attended =
        full ? a.attention(q, k, v, config.heads(), false, null) : windowed(a, q, k, v, places);
    Value h = g.add(x, a.linear("proj", attended, width));
    return g.add(h, feedForward(g.at("mlp"), norm(g, "norm2", h)));
  }

  private Value norm(GraphBuilder g, String name, Value x) {
    return switch (config.kind()) {
      case QWEN2_VL -> g.layerNorm(name, x, EPSILON);
      case QWEN2_5_VL -> g.rmsNorm(name, x, EPSILON);
    };
  }

  private Value feedForward(GraphBuilder g, Value x) {
    int wide = config.intermediateSize();
    return switch (config.kind()) {
      case QWEN2_VL -> g.linear("fc2", g.unary(Op.QUICK_GELU, g.linear("fc1", x, wide)), width);
      case QWEN2_5_VL -> {
        Value gate = g.unary(Op.SILU, g.linear("gate_proj", x, wide));
        yield g.linear("down_proj", g.mul(gate, g.linear("up_proj", x, wide)), width);
      }
    };
  }

  /** Queries, keys or values of the fused projection. */
  private Value third(GraphBuilder a, Value x, int index) {
    GraphBuilder qkv = a.at("qkv");
    long start = (long) index * width;
    return qkv.linear(
        x,
        qkv.weightRows("weight", new long[] {3L * width, width}, start, width),
        qkv.weightRows("bias", new long[] {3L * width}, start, width));
  }

  private Value windowed(GraphBuilder a, Value q, Value k, Value v, Places places) {
    Value windows = Check.notNull(places.windows(), "windows");
    Value attended =
        a.attention(
                inWindows(a, q, windows),
                inWindows(a, k, windows),
                inWindows(a, v, windows),
                places.real(),
                null,
                new Attributes.Attention(
                    config.heads(),
                    config.heads(),
                    1 / Math.sqrt(config.headSize()),
                    false,
                    0,
                    false))
            .get(0);
    Dim all = attended.dim(0).times(attended.dim(1));
    return a.gather(a.reshape(attended, all, width), Check.notNull(places.back(), "back"), 0);
  }

  private Value inWindows(GraphBuilder a, Value x, Value windows) {
    Value flat = a.reshape(x, x.dim(0).times(x.dim(1)), width);
    return a.gather(flat, windows, 0);
  }

  /** The patches of a cell become one entry. */
  private Value merger(GraphBuilder g, Value x) {
    int merged = width * config.cell();
    Value cells = g.reshape(norm(g, "ln_q", x), "grids", "cells", merged);
    GraphBuilder mlp = g.at("mlp");
    Value h = mlp.unary(Op.GELU, mlp.linear("0", cells, merged));
    return mlp.linear("2", h, config.outHiddenSize());
  }
}
