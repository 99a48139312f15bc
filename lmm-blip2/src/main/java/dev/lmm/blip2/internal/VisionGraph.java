package dev.lmm.blip2.internal;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Attributes.ResizeMode;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The vision tower: EVA's ViT, whose queries, keys and values come from one matrix.
 *
 * <p>Source: Li et al., BLIP-2: Bootstrapping Language-Image Pre-training with Frozen Image
 * Encoders and Large Language Models (2023), in the tensor names of transformers.
 */
final class VisionGraph {
  private VisionGraph() {}

  /** {@code pixels} [batch, 3, height, width] to {@code image} [batch, 1 + patches, width]. */
  static Graph of(Blip2Config.Vision config, WeightUsage weights) {
    return of(config, false, weights);
  }

  /** The same, watched: {@code layer0}, {@code layer1} ... [batch, heads, rows, rows]. */
  static Graph watched(Blip2Config.Vision config, WeightUsage weights) {
    return of(config, true, weights);
  }

  private static Graph of(Blip2Config.Vision config, boolean watched, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("blip2.vision", weights);
    GraphBuilder g = root.at("vision_model");
    long width = config.hiddenSize();
    long patch = config.patchSize();
    Dim batch = Dim.symbol("batch");
    Value pixels = g.input("pixels", DType.F32, batch, 3, config.height(), config.width());

    GraphBuilder e = g.at("embeddings");
    GraphBuilder p = e.at("patch_embedding");
    Value patches =
        p.conv(
            pixels,
            p.weight("weight", width, 3, patch, patch),
            p.weight("bias", width),
            config.patchSize(),
            0); // [batch, width, rows, columns]
    patches =
        e.transpose(
            e.reshape(patches, batch, width, patches.dim(2).times(patches.dim(3))), 0, 2, 1);
    Value first = e.expand(e.weight("class_embedding", 1, 1, width), batch, 1, width);
    Value x = e.concat(1, first, patches); // [batch, rows, width]
    x = e.add(x, positions(e, config));
    for (int i = 0; i < config.numHiddenLayers(); i++) {
      List<Value> kept = new ArrayList<>();
      x = layer(g.at("encoder.layers").at(i), x, config, watched ? kept : null);
      if (watched) {
        root.output("layer" + i, kept.get(0));
      }
    }
    // The norm is over every row: the Q-Former looks at all of them.
    root.output("image", g.layerNorm("post_layernorm", x, config.layerNormEps()));
    return root.build();
  }

  /**
   * Where each row is: [1, rows, width]. For pictures of another size than those of the training
   * the patches' embeddings are stretched as a picture is, the class token's stays.
   */
  private static Value positions(GraphBuilder e, Blip2Config.Vision config) {
    long width = config.hiddenSize();
    long side = config.trainedSide();
    long rows = 1 + side * side;
    Value trained = e.weight("position_embedding", 1, rows, width);
    if (config.down() == side && config.across() == side) {
      return trained;
    }
    Value grid = e.reshape(e.slice(trained, 1, 1, rows), 1, side, side, width);
    grid =
        e.resize(
            e.transpose(grid, 0, 3, 1, 2),
            new Attributes.Resize(
                Shape.ofFixed(config.down(), config.across()), ResizeMode.CUBIC, false, false));
    grid = e.reshape(e.transpose(grid, 0, 2, 3, 1), 1, config.rows() - 1, width);
    return e.concat(1, e.slice(trained, 1, 0, 1), grid);
  }

  private static Value layer(
      GraphBuilder g, Value x, Blip2Config.Vision config, @Nullable List<Value> kept) {
    long width = config.hiddenSize();
    int heads = config.numAttentionHeads();
    double scale = 1 / Math.sqrt(width / (double) heads);
    Value h = g.layerNorm("layer_norm1", x, config.layerNormEps());
    GraphBuilder a = g.at("self_attn");
    List<Value> attended =
        a.attention(
            part(a, h, 0, config),
            part(a, h, 1, config),
            part(a, h, 2, config),
            null,
            null,
            new Attributes.Attention(heads, heads, scale, false, 0, kept != null));
    if (kept != null) {
      kept.add(attended.get(1));
    }
    x = g.add(x, a.linear("projection", attended.get(0), width));
    GraphBuilder m = g.at("mlp");
    h = g.layerNorm("layer_norm2", x, config.layerNormEps());
    h = m.unary(config.hiddenAct(), m.linear("fc1", h, config.intermediateSize()));
    return g.add(x, m.linear("fc2", h, width));
  }

  /** Queries, keys or values: a third of the rows of {@code qkv}. */
  private static Value part(GraphBuilder a, Value x, int which, Blip2Config.Vision config) {
    long width = config.hiddenSize();
    GraphBuilder g = a.at("qkv");
    return g.linear(
        x,
        g.weightRows("weight", new long[] {3 * width, width}, which * width, width),
        config.qkvBias()
            ? g.weightRows("bias", new long[] {3 * width}, which * width, width)
            : null);
  }
}
