package dev.lmm.clip.internal;

import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import org.jspecify.annotations.Nullable;

/**
 * The towers of SigLIP and SigLIP 2.
 *
 * <p>Source: Zhai et al., Sigmoid Loss for Language Image Pre-Training (2023); Tschannen et al.,
 * SigLIP 2 (2025), in the tensor names of transformers.
 */
final class SiglipGraphs {
  private SiglipGraphs() {}

  /**
   * The vision tower for squares: {@code pixels} [batch, channels, side, side] to {@code embedding}
   * [batch, width], not normalised.
   */
  static Graph vision(VisionConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("siglip.vision", weights);
    GraphBuilder g = root.at("vision_model");
    root.output("embedding", pool(g, config, squares(g, config), null));
    return root.build();
  }

  /** The same, watched: {@code layer0} ... [batch, heads, patches, patches]. */
  static Graph watchedVision(VisionConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("siglip.vision", weights);
    GraphBuilder g = root.at("vision_model");
    config.layers().watched(root, g.at("encoder.layers"), squares(g, config), false, null);
    return root.build();
  }

  /** What the layers are given: [batch, patches, width]. */
  private static Value squares(GraphBuilder g, VisionConfig config) {
    Value pixels =
        g.input(
            "pixels",
            DType.F32,
            "batch",
            config.numChannels(),
            config.imageSize(),
            config.imageSize());
    GraphBuilder e = g.at("embeddings");
    Value x = Patches.embed(e.at("patch_embedding"), pixels, config, true);
    return e.add(
        x, e.weight("position_embedding.weight", config.numPatches(), config.hiddenSize()));
  }

  /**
   * The vision tower for any aspect (NaFlex): {@code patches} [batch, n, patch*patch*channels],
   * {@code positions} [batch, n, table] (the weights with which each patch's position embedding is
   * interpolated from the table's rows), {@code mask} BOOL [batch, n] (true for real patches) to
   * {@code embedding} [batch, width], not normalised.
   */
  static Graph naflexVision(VisionConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("siglip2.vision", weights);
    GraphBuilder g = root.at("vision_model");
    Value mask = naflexMask(g);
    root.output("embedding", pool(g, config, naflex(g, config), mask));
    return root.build();
  }

  /** The same, watched: {@code layer0} ... [batch, heads, n, n]. */
  static Graph watchedNaflexVision(VisionConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("siglip2.vision", weights);
    GraphBuilder g = root.at("vision_model");
    Value mask = naflexMask(g);
    config.layers().watched(root, g.at("encoder.layers"), naflex(g, config), false, mask);
    return root.build();
  }

  private static Value naflexMask(GraphBuilder g) {
    Dim batch = Dim.symbol("batch");
    Dim n = Dim.symbol("patches");
    return g.reshape(g.input("mask", DType.BOOL, batch, n), batch, 1, 1, n);
  }

  /** What the layers are given: [batch, n, width]. */
  private static Value naflex(GraphBuilder g, VisionConfig config) {
    long width = config.hiddenSize();
    long table = config.numPatches();
    Dim batch = Dim.symbol("batch");
    Dim n = Dim.symbol("patches");
    long values = (long) config.patchSize() * config.patchSize() * config.numChannels();
    Value patches = g.input("patches", DType.F32, batch, n, values);
    Value positions = g.input("positions", DType.F32, batch, n, table);

    GraphBuilder e = g.at("embeddings");
    Value x = e.linear("patch_embedding", patches, width);
    return e.add(x, e.matmul(positions, e.weight("position_embedding.weight", table, width)));
  }

  /** Layers, last norm, and the head in which one learned query attends to all patches. */
  private static Value pool(GraphBuilder g, VisionConfig config, Value x, @Nullable Value mask) {
    long width = config.hiddenSize();
    Dim batch = x.dim(0);
    TransformerLayers layers = config.layers();
    x = layers.all(g.at("encoder.layers"), x, false, mask);
    x = g.layerNorm("post_layernorm", x, config.layerNormEps());

    GraphBuilder h = g.at("head");
    Value probe = h.expand(h.weight("probe", 1, 1, width), batch, 1, width);
    GraphBuilder a = h.at("attention");
    Value attended =
        a.attention(
            fused(a, probe, 0, width),
            fused(a, x, 1, width),
            fused(a, x, 2, width),
            config.numAttentionHeads(),
            false,
            mask);
    Value y = a.linear("out_proj", attended, width);
    y = h.add(y, layers.mlp(h.at("mlp"), h.layerNorm("layernorm", y, config.layerNormEps())));
    return h.reshape(y, batch, width);
  }

  /** One third of the fused projection: {@code in_proj_weight} holds query, key and value. */
  private static Value fused(GraphBuilder g, Value x, int third, long width) {
    return g.linear(
        x,
        g.weightRows("in_proj_weight", new long[] {3 * width, width}, third * width, width),
        g.weightRows("in_proj_bias", new long[] {3 * width}, third * width, width));
  }

  /**
   * The text tower: {@code ids} [batch, tokens], padded to the longest the model knows, to {@code
   * embedding} [batch, projection], not normalised. Padding is attended to, as in training; the
   * last position is the text's.
   */
  static Graph text(TextConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("siglip.text", weights);
    GraphBuilder g = root.at("text_model");
    long width = config.hiddenSize();
    int tokens = config.maxPositionEmbeddings();
    Dim batch = Dim.symbol("batch");
    Value ids = g.input("ids", DType.I64, batch, tokens);

    Value x = words(g, config, ids);
    x =
        config
            .layers()
            .one(
                g.at("encoder.layers"),
                x,
                false,
                (s, v) -> s.slice(v, 1, tokens - 1, tokens),
                null);
    x = g.layerNorm("final_layer_norm", g.reshape(x, batch, width), config.layerNormEps());
    root.output("embedding", g.linear("head", x, config.projectionSize()));
    return root.build();
  }

  /** The same, watched: {@code layer0} ... [batch, heads, tokens, tokens]. */
  static Graph watchedText(TextConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("siglip.text", weights);
    GraphBuilder g = root.at("text_model");
    Value ids = g.input("ids", DType.I64, "batch", config.maxPositionEmbeddings());
    config.layers().watched(root, g.at("encoder.layers"), words(g, config, ids), false, null);
    return root.build();
  }

  /** What the layers are given: [batch, tokens, width]. */
  private static Value words(GraphBuilder g, TextConfig config, Value ids) {
    long width = config.hiddenSize();
    int tokens = config.maxPositionEmbeddings();
    GraphBuilder e = g.at("embeddings");
    Value x = e.embedding("token_embedding", ids, config.vocabSize(), width);
    return e.add(x, e.weight("position_embedding.weight", tokens, width));
  }
}
