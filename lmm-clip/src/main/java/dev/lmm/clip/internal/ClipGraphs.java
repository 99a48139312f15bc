package dev.lmm.clip.internal;

import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;

/**
 * The two towers of CLIP.
 *
 * <p>Source: Radford et al., Learning Transferable Visual Models From Natural Language Supervision
 * (2021), in the tensor names of transformers.
 */
final class ClipGraphs {
  private ClipGraphs() {}

  /**
   * The vision tower: {@code pixels} [batch, channels, side, side] to {@code embedding} [batch,
   * projection], not normalised.
   */
  static Graph vision(VisionConfig config, int projection, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("clip.vision", weights);
    GraphBuilder g = root.at("vision_model");
    long width = config.hiddenSize();
    Dim batch = Dim.symbol("batch");
    Value x = rows(g, config);
    x = config.layers().one(g.at("encoder.layers"), x, false, (s, v) -> s.slice(v, 1, 0, 1), null);
    x = g.layerNorm("post_layernorm", g.reshape(x, batch, width), config.layerNormEps());
    root.output("embedding", root.linearNoBias("visual_projection", x, projection));
    return root.build();
  }

  /** The same, watched: {@code layer0} ... [batch, heads, 1 + patches, 1 + patches]. */
  static Graph watchedVision(VisionConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("clip.vision", weights);
    GraphBuilder g = root.at("vision_model");
    config.layers().watched(root, g.at("encoder.layers"), rows(g, config), false, null);
    return root.build();
  }

  /** What the layers are given: the class token and the patches, [batch, 1 + patches, width]. */
  private static Value rows(GraphBuilder g, VisionConfig config) {
    long width = config.hiddenSize();
    Dim batch = Dim.symbol("batch");
    Value pixels =
        g.input(
            "pixels",
            DType.F32,
            batch,
            config.numChannels(),
            config.imageSize(),
            config.imageSize());

    GraphBuilder e = g.at("embeddings");
    Value patches = Patches.embed(e.at("patch_embedding"), pixels, config, false);
    Value first =
        e.expand(e.reshape(e.weight("class_embedding", width), 1, 1, width), batch, 1, width);
    long rows = config.numPatches() + 1L;
    Value x = e.concat(1, first, patches); // [batch, 1 + patches, width]
    x = e.add(x, e.weight("position_embedding.weight", rows, width));

    return g.layerNorm("pre_layrnorm", x, config.layerNormEps()); // spelt so in every checkpoint
  }

  /**
   * The text tower: {@code ids} [batch, tokens] and {@code end} [batch], the index of the token
   * whose state is the text's, to {@code embedding} [batch, projection], not normalised. Padding
   * after that token has no influence, for attention is causal.
   */
  static Graph text(TextConfig config, int projection, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("clip.text", weights);
    GraphBuilder g = root.at("text_model");
    long width = config.hiddenSize();
    Dim batch = Dim.symbol("batch");
    Dim tokens = Dim.symbol("tokens");
    Value ids = g.input("ids", DType.I64, batch, tokens);
    Value end = g.input("end", DType.I64, batch);

    Value x = words(g, config, ids);
    // The wanted row attends to what is not behind it.
    int longest = config.maxPositionEmbeddings();
    Value order =
        g.slice(g.constant("order", Patches.range(longest), longest), 0, Dim.of(0), tokens);
    Value visible =
        g.binary(
            Op.LESS_OR_EQUAL, g.reshape(order, 1, 1, 1, tokens), g.reshape(end, batch, 1, 1, 1));
    x = config.layers().one(g.at("encoder.layers"), x, true, (s, v) -> rowAt(s, v, end), visible);
    x = g.layerNorm("final_layer_norm", g.reshape(x, batch, width), config.layerNormEps());
    root.output("embedding", root.linearNoBias("text_projection", x, projection));
    return root.build();
  }

  /** The same, watched: {@code ids} [batch, tokens] to {@code layer0} ... */
  static Graph watchedText(TextConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("clip.text", weights);
    GraphBuilder g = root.at("text_model");
    Value ids = g.input("ids", DType.I64, "batch", "tokens");
    config.layers().watched(root, g.at("encoder.layers"), words(g, config, ids), true, null);
    return root.build();
  }

  /** What the layers are given: [batch, tokens, width]. */
  private static Value words(GraphBuilder g, TextConfig config, Value ids) {
    long width = config.hiddenSize();
    GraphBuilder e = g.at("embeddings");
    int longest = config.maxPositionEmbeddings();
    Value x = e.embedding("token_embedding", ids, config.vocabSize(), width);
    Value positions = e.weight("position_embedding.weight", longest, width);
    return e.add(x, e.slice(positions, 0, Dim.of(0), ids.dim(1)));
  }

  /** Row {@code index[b]} of each x[b]. */
  private static Value rowAt(GraphBuilder g, Value x, Value index) {
    Dim batch = x.dim(0);
    Value wide = g.expand(g.reshape(index, batch, 1, 1), batch, 1, x.dim(2));
    return g.gatherElements(x, wide, 1);
  }
}
