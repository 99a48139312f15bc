package dev.lmm.diffusion.internal;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import java.util.Collections;

/**
 * CLIP's vision tower and its projection, as the safety checker uses them. Input {@code pixels}
 * [batch, 3, side, side], output {@code embeds} [batch, projection].
 */
final class SafetyGraph {
  private SafetyGraph() {}

  static Graph of(SafetyConfig c, WeightUsage usage) {
    GraphBuilder root = new GraphBuilder("diffusion.safety_checker", usage);
    Value pixels = root.input("pixels", DType.F32, "batch", 3, c.imageSize(), c.imageSize());
    GraphBuilder g = root.at("vision_model");
    // transformers 5 saves the tower without its own prefix; published files have it twice.
    g = g.has("vision_model.post_layernorm.weight") ? g.at("vision_model") : g;
    long side = c.imageSize() / c.patchSize();
    long patches = side * side;
    int width = c.layers().hiddenSize();
    GraphBuilder e = g.at("embeddings");
    GraphBuilder p = e.at("patch_embedding");
    Attributes.Conv tiles =
        new Attributes.Conv(
            Collections.nCopies(2, c.patchSize()),
            Collections.nCopies(2, 1),
            Collections.nCopies(2, 0),
            Collections.nCopies(2, 0),
            1);
    Value x =
        p.conv(pixels, p.weight("weight", width, 3, c.patchSize(), c.patchSize()), null, tiles);
    x = e.transpose(e.reshape(x, pixels.dim(0), width, patches), 0, 2, 1);
    Value first = e.reshape(e.weight("class_embedding", width), 1, 1, width);
    // One for each picture: nothing is broadcast by a concatenation.
    first = e.add(first, e.scale(e.slice(x, 1, 0, 1), 0));
    x = e.add(e.concat(1, first, x), e.weight("position_embedding.weight", patches + 1, width));
    x = g.layerNorm("pre_layrnorm", x, c.layers().epsilon()); // spelt so in every checkpoint
    for (int i = 0; i < c.layers().layers(); i++) {
      x = TextEncoderGraph.layer(g.at("encoder.layers").at(i), x, c.layers(), false);
    }
    Value pooled = g.slice(x, 1, Dim.of(0), Dim.of(1));
    pooled = g.layerNorm("post_layernorm", pooled, c.layers().epsilon());
    pooled = root.reshape(pooled, pixels.dim(0), width);
    root.output("embeds", root.linearNoBias("visual_projection", pooled, c.projection()));
    return root.build();
  }
}
