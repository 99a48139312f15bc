package dev.lmm.diffusion.internal;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * config.json of a UNet ({@code UNet2DConditionModel}), with diffusers' defaults for absent keys.
 *
 * @param inChannels channels of its input: 4, or 9 for inpainting
 * @param outChannels channels of its output
 * @param channels of each level
 * @param downAttends whether each level of the way down looks at the text
 * @param upAttends whether each level of the way up does
 * @param layers resnets of each level
 * @param heads of the attention of each level; {@code attention_head_dim} by its old, wrong name
 * @param depth transformer blocks of each attention of each level
 * @param contextWidth width of the text states
 * @param linearProjection whether a transformer's way in and out are linear layers
 * @param groups of the group norms
 * @param epsilon of the group norms outside transformers
 * @param flipSinToCos whether a timestep's cosines come first
 * @param freqShift subtracted from half of the embedding's width
 * @param sampleSize default width and height of the latents
 * @param addedTime width of each time id's embedding, for SDXL; 0 if there are none
 * @param addedWidth width of pooled text and time ids together
 */
public record UnetConfig(
    int inChannels,
    int outChannels,
    List<Integer> channels,
    List<Boolean> downAttends,
    List<Boolean> upAttends,
    int layers,
    List<Integer> heads,
    List<Integer> depth,
    int contextWidth,
    boolean linearProjection,
    int groups,
    double epsilon,
    boolean flipSinToCos,
    int freqShift,
    int sampleSize,
    int addedTime,
    int addedWidth) {

  public static UnetConfig of(Json c) {
    Configs.only(c, "act_fn", "silu");
    Configs.only(c, "time_embedding_type", "positional");
    Configs.only(c, "resnet_time_scale_shift", "default");
    Configs.only(c, "mid_block_type", "UNetMidBlock2DCrossAttn");
    Configs.only(c, "dual_cross_attention", false);
    Configs.only(c, "only_cross_attention", false);
    Configs.only(c, "center_input_sample", false);
    Configs.only(c, "attention_type", "default");
    for (String key : List.of("class_embed_type", "encoder_hid_dim", "time_cond_proj_dim")) {
      if (c.hasValue(key)) {
        throw new UnsupportedModelException(c.at(key).unexpected("nothing").getMessage());
      }
    }
    List<Integer> channels = new ArrayList<>();
    for (Json value : c.at("block_out_channels").elements()) {
      channels.add((int) value.asLong());
    }
    if (channels.isEmpty() || channels.stream().anyMatch(n -> n < 1 || n > 1 << 16)) {
      throw c.at("block_out_channels").unexpected("a number from 1 to 65536 for each block");
    }
    int levels = channels.size();
    String heads = c.hasValue("num_attention_heads") ? "num_attention_heads" : "attention_head_dim";
    boolean added = c.hasValue("addition_embed_type");
    if (added) {
      Configs.only(c, "addition_embed_type", "text_time");
    }
    return new UnetConfig(
        Configs.positive(c, "in_channels", 4),
        Configs.positive(c, "out_channels", 4),
        List.copyOf(channels),
        attends(c, "down_block_types", levels, "CrossAttnDownBlock2D", "DownBlock2D"),
        attends(c, "up_block_types", levels, "CrossAttnUpBlock2D", "UpBlock2D"),
        Configs.positive(c, "layers_per_block", 2),
        Configs.each(c, heads, 8, levels),
        Configs.each(c, "transformer_layers_per_block", 1, levels),
        Configs.positive(c, "cross_attention_dim", 1280),
        c.boolAt("use_linear_projection", false),
        Configs.positive(c, "norm_num_groups", 32),
        c.doubleAt("norm_eps", 1e-5),
        c.boolAt("flip_sin_to_cos", true),
        c.intAt("freq_shift", 0),
        Configs.positive(c, "sample_size", 64),
        added ? Configs.positive(c, "addition_time_embed_dim", 256) : 0,
        added ? Configs.positive(c, "projection_class_embeddings_input_dim", 2816) : 0);
  }

  private static List<Boolean> attends(
      Json c, String key, int levels, String attending, String plain) {
    List<Boolean> attends = new ArrayList<>();
    for (Json type : c.at(key).elements()) {
      if (!Set.of(attending, plain).contains(type.string())) {
        throw new UnsupportedModelException(
            type.unexpected(attending + " or " + plain).getMessage());
      }
      attends.add(type.string().equals(attending));
    }
    if (attends.size() != levels) {
      throw c.at(key).unexpected("as many as block_out_channels, " + levels);
    }
    return attends;
  }
}
