package dev.lmm.clip.internal;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.graph.Op;
import dev.lmm.core.json.Json;
import java.util.Map;

/**
 * config.json of the family, with the defaults of transformers' configuration classes for absent
 * keys.
 *
 * @param kind which of the architectures
 * @param vision the vision tower
 * @param text the text tower
 * @param projectionDim width of CLIP's embeddings
 */
public record ClipConfig(Kind kind, VisionConfig vision, TextConfig text, int projectionDim) {
  /** The architectures of this family. */
  enum Kind {
    /** CLIP. */
    CLIP,
    /** SigLIP, and SigLIP 2 for squares. */
    SIGLIP,
    /** SigLIP 2 for any aspect. */
    NAFLEX
  }

  /** Reads a config. */
  public static ClipConfig of(Json config) {
    Kind kind =
        switch (config.stringAt("model_type")) {
          case "clip" -> Kind.CLIP;
          case "siglip" -> Kind.SIGLIP;
          case "siglip2" -> Kind.NAFLEX;
          default -> throw config.at("model_type").unexpected("clip, siglip or siglip2");
        };
    return new ClipConfig(
        kind,
        vision(kind, section(kind, config, "vision_config")),
        text(kind, section(kind, config, "text_config")),
        positive(config, "projection_dim", 512));
  }

  /** In old CLIP files a filled {@code NAME_dict} overrides {@code NAME}. */
  private static Json section(Kind kind, Json config, String name) {
    String old = name + "_dict";
    return kind == Kind.CLIP && config.hasValue(old)
        ? config.objectOrEmpty(old)
        : config.objectOrEmpty(name);
  }

  private static VisionConfig vision(Kind kind, Json c) {
    boolean clip = kind == Kind.CLIP;
    int image = kind == Kind.NAFLEX ? 0 : positive(c, "image_size", 224);
    int patch = positive(c, "patch_size", clip ? 32 : 16);
    int side = image / patch;
    if (kind != Kind.NAFLEX && side == 0) {
      throw c.at("patch_size").unexpected("at most image_size, " + image);
    }
    int heads = positive(c, "num_attention_heads", 12);
    return new VisionConfig(
        width(c, 768, heads),
        positive(c, "intermediate_size", 3072),
        positive(c, "num_hidden_layers", 12),
        heads,
        positive(c, "num_channels", 3),
        image,
        patch,
        kind == Kind.NAFLEX ? positive(c, "num_patches", 256) : Math.multiplyExact(side, side),
        activation(c, clip ? "quick_gelu" : "gelu_pytorch_tanh"),
        c.doubleAt("layer_norm_eps", clip ? 1e-5 : 1e-6));
  }

  private static TextConfig text(Kind kind, Json c) {
    boolean clip = kind == Kind.CLIP;
    int heads = positive(c, "num_attention_heads", clip ? 8 : 12);
    int width = width(c, clip ? 512 : 768, heads);
    return new TextConfig(
        positive(c, "vocab_size", clip ? 49408 : 32000),
        width,
        positive(c, "intermediate_size", clip ? 2048 : 3072),
        positive(c, "num_hidden_layers", 12),
        heads,
        positive(c, "max_position_embeddings", clip ? 77 : 64),
        activation(c, clip ? "quick_gelu" : "gelu_pytorch_tanh"),
        c.doubleAt("layer_norm_eps", clip ? 1e-5 : 1e-6),
        c.intAt("eos_token_id", 49407),
        positive(c, "projection_size", width));
  }

  private static int positive(Json c, String key, int absent) {
    int value = c.intAt(key, absent);
    if (value < 1 || value > 1 << 24) {
      throw c.at(key).unexpected("a number from 1 to " + (1 << 24));
    }
    return value;
  }

  private static int width(Json c, int absent, int heads) {
    int width = positive(c, "hidden_size", absent);
    if (width % heads != 0) {
      throw c.at("hidden_size").unexpected("a multiple of num_attention_heads, " + heads);
    }
    return width;
  }

  private static Op activation(Json c, String absent) {
    String name = c.stringAt("hidden_act", absent);
    Op op = ACTIVATIONS.get(name);
    if (op == null) {
      throw new UnsupportedModelException(
          c.at("hidden_act").unexpected("one of " + ACTIVATIONS.keySet()).getMessage());
    }
    return op;
  }

  private static final Map<String, Op> ACTIVATIONS =
      Map.of(
          "quick_gelu", Op.QUICK_GELU,
          "gelu", Op.GELU,
          "gelu_pytorch_tanh", Op.GELU_TANH,
          "gelu_new", Op.GELU_TANH,
          "relu", Op.RELU,
          "silu", Op.SILU);
}
