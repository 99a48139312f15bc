package dev.lmm.blip2.internal;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.graph.Op;
import dev.lmm.core.json.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * config.json of the family, with the defaults of transformers' configuration classes for absent
 * keys.
 *
 * @param numQueryTokens how many queries look at a picture
 * @param vision the vision tower
 * @param qformer the Q-Former
 * @param text the language model
 */
public record Blip2Config(int numQueryTokens, Vision vision, QFormer qformer, TextConfig text) {
  /**
   * {@code vision_config}.
   *
   * @param hiddenSize width
   * @param intermediateSize width of the feed-forward layers
   * @param numHiddenLayers layers
   * @param numAttentionHeads heads
   * @param imageSize side of the pictures that the positions were trained on, in pixels
   * @param patchSize side of a patch, in pixels
   * @param qkvBias whether queries, keys and values have a bias
   * @param hiddenAct of the feed-forward layers
   * @param layerNormEps of the layer norms
   * @param height of the pictures that it is given, in pixels
   * @param width of the pictures that it is given, in pixels
   */
  record Vision(
      int hiddenSize,
      int intermediateSize,
      int numHiddenLayers,
      int numAttentionHeads,
      int imageSize,
      int patchSize,
      boolean qkvBias,
      Op hiddenAct,
      double layerNormEps,
      int height,
      int width) {
    /** For pictures of the size that a folder's preprocessor_config.json tells. */
    Vision sized(Path folder) {
      PictureInput.Size size = PictureInput.size(folder, imageSize, patchSize);
      return new Vision(
          hiddenSize,
          intermediateSize,
          numHiddenLayers,
          numAttentionHeads,
          imageSize,
          patchSize,
          qkvBias,
          hiddenAct,
          layerNormEps,
          size.height(),
          size.width());
    }

    /** Patches on each side of the pictures that the positions were trained on. */
    int trainedSide() {
      return imageSize / patchSize;
    }

    /** Patches from top to bottom; pixels that fill no patch are left out. */
    int down() {
      return height / patchSize;
    }

    /** Patches from left to right. */
    int across() {
      return width / patchSize;
    }

    /** Rows that the tower gives: the class token and the patches. */
    int rows() {
      return 1 + down() * across();
    }
  }

  /**
   * {@code qformer_config}.
   *
   * @param hiddenSize width
   * @param intermediateSize width of the feed-forward layers
   * @param numHiddenLayers layers
   * @param numAttentionHeads heads
   * @param crossAttentionFrequency every so-manyth layer, from the first on, looks at the picture
   * @param hiddenAct of the feed-forward layers
   * @param layerNormEps of the layer norms
   * @param vocabSize rows of the table of words; of the first stage only
   * @param maxPositionEmbeddings of texts; of the first stage only
   */
  record QFormer(
      int hiddenSize,
      int intermediateSize,
      int numHiddenLayers,
      int numAttentionHeads,
      int crossAttentionFrequency,
      Op hiddenAct,
      double layerNormEps,
      int vocabSize,
      int maxPositionEmbeddings) {
    /** Whether a layer looks at the picture. */
    boolean crosses(int layer) {
      return layer % crossAttentionFrequency == 0;
    }
  }

  /** Whether a config is one of the first stage: it matches, and has no language model. */
  static boolean isFirstStage(Json config) {
    boolean first = false;
    if (config.hasValue("architectures")) {
      for (Json architecture : config.at("architectures").elements()) {
        String name = architecture.string();
        first |= name.equals(FIRST_STAGE);
        if (!name.equals(FIRST_STAGE) && !name.equals(SECOND_STAGE)) {
          throw new UnsupportedModelException(
              architecture
                  .unexpected(
                      SECOND_STAGE + ", which writes, or " + FIRST_STAGE + ", which matches")
                  .getMessage());
        }
      }
    }
    return first;
  }

  private static final String FIRST_STAGE = "Blip2ForImageTextRetrieval";
  private static final String SECOND_STAGE = "Blip2ForConditionalGeneration";

  /** Reads a config of the second stage; pictures have the size that it was trained on. */
  public static Blip2Config of(Json config) {
    Vision vision = vision(config.objectOrEmpty("vision_config"));
    return new Blip2Config(
        positive(config, "num_query_tokens", 32),
        vision,
        qformer(config.objectOrEmpty("qformer_config"), vision),
        TextConfig.of(config.objectOrEmpty("text_config")));
  }

  /** For pictures of the size that a folder's preprocessor_config.json tells. */
  Blip2Config sized(Path folder) {
    return new Blip2Config(numQueryTokens, vision.sized(folder), qformer, text);
  }

  static Vision vision(Json c) {
    int image = positive(c, "image_size", 224);
    int patch = positive(c, "patch_size", 14);
    if (patch > image || image > 1 << 14) {
      throw c.at("patch_size").unexpected("at most image_size, " + image + " (at most 16384)");
    }
    int heads = positive(c, "num_attention_heads", 16);
    return new Vision(
        width(c, 1408, heads),
        positive(c, "intermediate_size", 6144),
        positive(c, "num_hidden_layers", 39),
        heads,
        image,
        patch,
        c.boolAt("qkv_bias", true),
        activation(c, "hidden_act", "gelu"),
        c.doubleAt("layer_norm_eps", 1e-6),
        image,
        image);
  }

  static QFormer qformer(Json c, Vision vision) {
    int heads = positive(c, "num_attention_heads", 12);
    int encoder = positive(c, "encoder_hidden_size", 1408);
    if (encoder != vision.hiddenSize()) {
      throw c.at("encoder_hidden_size")
          .unexpected(vision.hiddenSize() + ", as vision_config.hidden_size says");
    }
    return new QFormer(
        width(c, 768, heads),
        positive(c, "intermediate_size", 3072),
        positive(c, "num_hidden_layers", 12),
        heads,
        positive(c, "cross_attention_frequency", 2),
        activation(c, "hidden_act", "gelu"),
        c.doubleAt("layer_norm_eps", 1e-12),
        positive(c, "vocab_size", 30522),
        positive(c, "max_position_embeddings", 512));
  }

  static int positive(Json c, String key, int absent) {
    int value = c.intAt(key, absent);
    if (value < 1 || value > 1 << 24) {
      throw c.at(key).unexpected("a number from 1 to " + (1 << 24));
    }
    return value;
  }

  static int width(Json c, int absent, int heads) {
    int width = positive(c, "hidden_size", absent);
    if (width % heads != 0) {
      throw c.at("hidden_size").unexpected("a multiple of num_attention_heads, " + heads);
    }
    return width;
  }

  static Op activation(Json c, String key, String absent) {
    return activationNamed(c, key, c.stringAt(key, absent));
  }

  /** The activation of a name that stands, as such or as a part, at a key. */
  static Op activationNamed(Json c, String key, String name) {
    Op op = ACTIVATIONS.get(name);
    if (op == null) {
      throw new UnsupportedModelException(
          c.at(key).unexpected("one of " + List.copyOf(ACTIVATIONS.keySet())).getMessage());
    }
    return op;
  }

  private static final Map<String, Op> ACTIVATIONS =
      Map.of(
          "gelu", Op.GELU,
          "gelu_new", Op.GELU_TANH,
          "gelu_pytorch_tanh", Op.GELU_TANH,
          "relu", Op.RELU);
}
