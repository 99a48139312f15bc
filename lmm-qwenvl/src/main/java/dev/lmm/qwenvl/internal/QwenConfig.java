package dev.lmm.qwenvl.internal;

import dev.lmm.CheckpointException;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * config.json, flat as it was published (transformers 4) or in sections (transformers 5), with the
 * defaults of the reference's configuration classes.
 *
 * @param text the language model
 * @param vision the vision tower
 * @param imageToken id of the placeholder of pictures
 * @param videoToken id of the placeholder of videos
 * @param tied whether the output layer is the embedding table
 */
public record QwenConfig(
    TextConfig text, VisionConfig vision, int imageToken, int videoToken, boolean tied) {
  /**
   * The language model.
   *
   * @param vocabSize rows of the embedding table, padding included
   * @param hiddenSize width
   * @param intermediateSize width of the feed-forward layers
   * @param layers number of layers
   * @param heads of queries
   * @param kvHeads of keys and values
   * @param contextLength the most entries of prompt and answer
   * @param epsilon of the norms
   * @param ropeTheta base of the rotation's frequencies
   * @param sections frequencies turned by time, height and width
   * @param windows for each layer how many of the latest entries it sees, 0 for all
   */
  record TextConfig(
      int vocabSize,
      int hiddenSize,
      int intermediateSize,
      int layers,
      int heads,
      int kvHeads,
      int contextLength,
      double epsilon,
      double ropeTheta,
      List<Integer> sections,
      List<Integer> windows) {
    int headSize() {
      return hiddenSize / heads;
    }
  }

  /** What a vision tower is built of. */
  enum VisionKind {
    /** Qwen2-VL: layer norms, one activation, no windows, a position of time for each step. */
    QWEN2_VL,
    /** Qwen2.5-VL: RMS norms, gated layers, windows, positions of time in seconds. */
    QWEN2_5_VL
  }

  /**
   * The vision tower.
   *
   * @param kind what it is built of
   * @param depth number of blocks
   * @param hiddenSize width
   * @param intermediateSize width of the feed-forward layers
   * @param heads number of heads
   * @param channels of a picture
   * @param patchSize side of a patch in pixels
   * @param mergeSize side of a cell in patches
   * @param temporalPatchSize frames in a patch
   * @param windowSize side of an attention window in pixels; 0 for no windows
   * @param fullAttention the blocks without windows, where others have them
   * @param outHiddenSize width of what the language model gets
   * @param tokensPerSecond positions of time in a second of video; 0 for one for each step of time
   */
  record VisionConfig(
      VisionKind kind,
      int depth,
      int hiddenSize,
      int intermediateSize,
      int heads,
      int channels,
      int patchSize,
      int mergeSize,
      int temporalPatchSize,
      int windowSize,
      Set<Integer> fullAttention,
      int outHiddenSize,
      int tokensPerSecond) {
    int headSize() {
      return hiddenSize / heads;
    }

    /** Patches of a cell, which becomes one entry of the language model. */
    int cell() {
      return mergeSize * mergeSize;
    }

    /** Whether any block has windows. */
    boolean windowed() {
      return windowSize > 0;
    }

    /** Whether each patch of a block sees all others of its step of time. */
    boolean full(int block) {
      return !windowed() || fullAttention.contains(block);
    }

    /** Side of a window in cells. */
    int windowCells() {
      return windowSize / mergeSize / patchSize;
    }

    /** Numbers of a patch. */
    int patch() {
      return channels * temporalPatchSize * patchSize * patchSize;
    }
  }

  public static QwenConfig of(Json config) {
    Json t = config.hasValue("text_config") ? config.at("text_config") : config;
    TextConfig text = text(t);
    Json v = config.objectOrEmpty("vision_config");
    boolean second = config.stringAt("model_type", "").equals("qwen2_vl");
    VisionConfig vision = second ? secondVision(v) : vision(v);
    if (vision.outHiddenSize() != text.hiddenSize()) {
      throw new CheckpointException(
          config.source()
              + (second ? ": vision_config.hidden_size is " : ": vision_config.out_hidden_size is ")
              + vision.outHiddenSize()
              + ", hidden_size of the language model is "
              + text.hiddenSize()
              + "; expected the same");
    }
    boolean tied =
        config.hasValue("tie_word_embeddings")
            ? config.boolAt("tie_word_embeddings")
            : t.boolAt("tie_word_embeddings", false);
    return new QwenConfig(
        text,
        vision,
        token(config, "image_token_id", 151655, text.vocabSize()),
        token(config, "video_token_id", 151656, text.vocabSize()),
        tied);
  }

  private static TextConfig text(Json t) {
    only(t, "hidden_act", "silu");
    int heads = positive(t, "num_attention_heads", 64);
    int kvHeads = t.hasValue("num_key_value_heads") ? positive(t, "num_key_value_heads", 8) : heads;
    int width = positive(t, "hidden_size", 8192);
    if (width % (2 * heads) != 0) {
      throw t.at("hidden_size").unexpected("an even multiple of num_attention_heads, " + heads);
    }
    if (heads % kvHeads != 0) {
      throw t.at("num_key_value_heads").unexpected("a divisor of num_attention_heads, " + heads);
    }
    Json rope =
        t.hasValue("rope_parameters")
            ? t.at("rope_parameters")
            : t.hasValue("rope_scaling") ? t.at("rope_scaling") : t.objectOrEmpty("rope_scaling");
    String kind = rope.hasValue("rope_type") ? "rope_type" : "type";
    // "mrope" means the plain frequencies, shared out to three axes.
    if (!Set.of("default", "mrope").contains(rope.stringAt(kind, "default"))) {
      throw new UnsupportedModelException(
          rope.at(kind).unexpected("default or mrope").getMessage());
    }
    double theta =
        rope.hasValue("rope_theta")
            ? rope.doubleAt("rope_theta")
            : t.doubleAt("rope_theta", 1_000_000);
    if (!(theta > 0)) {
      throw (rope.hasValue("rope_theta") ? rope : t)
          .at("rope_theta")
          .unexpected("a positive number");
    }
    int layers = positive(t, "num_hidden_layers", 80);
    int half = width / heads / 2;
    List<Integer> sections = List.of(16, 24, 24);
    if (rope.hasValue("mrope_section")) {
      sections = rope.at("mrope_section").elements().stream().map(Json::asInt).toList();
    }
    if (sections.size() != 3
        || sections.stream().anyMatch(n -> n < 0)
        || sections.stream().mapToLong(n -> n).sum() != half) {
      throw rope.at("mrope_section")
          .unexpected("three numbers that add up to half a head's size, " + half);
    }
    return new TextConfig(
        positive(t, "vocab_size", 152064),
        width,
        positive(t, "intermediate_size", 29568),
        layers,
        heads,
        kvHeads,
        positive(t, "max_position_embeddings", 32768),
        t.doubleAt("rms_norm_eps", 1e-5),
        theta,
        sections,
        windows(t, layers));
  }

  /** Layers from max_window_layers on see a window, if the config asks for windows at all. */
  private static List<Integer> windows(Json t, int layers) {
    boolean none = t.has("sliding_window") && !t.hasValue("sliding_window");
    boolean sliding = t.boolAt("use_sliding_window", false) && !none;
    int window = sliding ? positive(t, "sliding_window", 4096) : 0;
    int first = sliding ? t.intAt("max_window_layers", 80) : layers;
    List<Json> types = t.hasValue("layer_types") ? t.at("layer_types").elements() : List.<Json>of();
    if (!types.isEmpty() && types.size() != layers) {
      throw t.at("layer_types").unexpected("as many as num_hidden_layers, " + layers);
    }
    List<Integer> windows = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      boolean slides =
          types.isEmpty() ? i >= first : types.get(i).string().equals("sliding_attention");
      windows.add(slides ? window : 0);
    }
    return List.copyOf(windows);
  }

  private static VisionConfig vision(Json v) {
    only(v, "hidden_act", "silu");
    int heads = positive(v, "num_heads", 16);
    int depth = positive(v, "depth", 32);
    Set<Integer> full = new TreeSet<>(List.of(7, 15, 23, 31));
    if (v.hasValue("fullatt_block_indexes")) {
      full = new TreeSet<>();
      for (Json index : v.at("fullatt_block_indexes").elements()) {
        full.add(index.asInt());
      }
    }
    int patch = positive(v, "patch_size", 14);
    int merge = positive(v, "spatial_merge_size", 2);
    int window = positive(v, "window_size", 112);
    if (window / merge / patch < 1) {
      throw v.at("window_size").unexpected("at least a cell, " + merge * patch);
    }
    return new VisionConfig(
        VisionKind.QWEN2_5_VL,
        depth,
        width(v, "hidden_size", 3584, heads),
        positive(v, "intermediate_size", 3420),
        heads,
        channels(v),
        patch,
        merge,
        positive(v, "temporal_patch_size", 2),
        window,
        Set.copyOf(full),
        positive(v, "out_hidden_size", 3584),
        positive(v, "tokens_per_second", 4));
  }

  /** The tower of Qwen2-VL, whose hidden_size is the language model's. */
  private static VisionConfig secondVision(Json v) {
    only(v, "hidden_act", "quick_gelu");
    int heads = positive(v, "num_heads", 16);
    int width = width(v, "embed_dim", 1280, heads);
    int ratio = positive(v, "mlp_ratio", 4);
    if (ratio > 64) {
      throw v.at("mlp_ratio").unexpected("1 to 64");
    }
    return new VisionConfig(
        VisionKind.QWEN2_VL,
        positive(v, "depth", 32),
        width,
        width * ratio,
        heads,
        channels(v),
        positive(v, "patch_size", 14),
        positive(v, "spatial_merge_size", 2),
        positive(v, "temporal_patch_size", 2),
        0,
        Set.of(),
        positive(v, "hidden_size", 3584),
        0);
  }

  private static int width(Json v, String key, int absent, int heads) {
    int width = positive(v, key, absent);
    // Height and width share each half of a head.
    if (width % (4 * heads) != 0) {
      throw v.at(key).unexpected("a multiple of 4 * num_heads, " + 4 * heads);
    }
    return width;
  }

  private static int channels(Json v) {
    String channels = v.hasValue("in_channels") ? "in_channels" : "in_chans";
    if (positive(v, channels, 3) != 3) {
      throw v.at(channels).unexpected("3");
    }
    return 3;
  }

  private static int positive(Json json, String key, int absent) {
    if (!json.hasValue(key)) {
      return absent;
    }
    long value = json.at(key).asLong();
    if (value < 1 || value > 1 << 24) {
      throw json.at(key).unexpected("a number from 1 to " + (1 << 24));
    }
    return (int) value;
  }

  private static int token(Json json, String key, int absent, int vocabulary) {
    int id = json.intAt(key, absent);
    if (id < 0 || id >= vocabulary) {
      throw new CheckpointException(
          json.source()
              + ": "
              + key
              + " is "
              + id
              + "; expected a token of the vocabulary, which has "
              + vocabulary);
    }
    return id;
  }

  private static void only(Json json, String key, String expected) {
    if (!json.stringAt(key, expected).equals(expected)) {
      throw new UnsupportedModelException(
          json.at(key).unexpected("nothing else than " + expected).getMessage());
    }
  }
}
