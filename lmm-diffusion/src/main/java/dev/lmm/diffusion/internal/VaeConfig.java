package dev.lmm.diffusion.internal;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import java.util.List;

/**
 * config.json of an autoencoder ({@code AutoencoderKL}), with diffusers' defaults for absent keys.
 *
 * @param channels of each level
 * @param layers resnets of each level of the encoder; the decoder has one more
 * @param latentChannels channels of the latents
 * @param groups of the group norms
 * @param scalingFactor latents of the UNet are so many times those of the autoencoder
 * @param shiftFactor subtracted before that; 0 for nothing
 * @param quantConv whether the encoder ends in a 1x1 convolution
 * @param postQuantConv whether the decoder begins with one
 * @param tileSize side of the tiles that large pictures are cut into: {@code sample_size}
 * @param midAttention whether the middle has attention
 */
public record VaeConfig(
    List<Integer> channels,
    int layers,
    int latentChannels,
    int groups,
    double scalingFactor,
    double shiftFactor,
    boolean quantConv,
    boolean postQuantConv,
    int tileSize,
    boolean midAttention)
    implements Codec {

  public static VaeConfig of(Json c) {
    Configs.only(c, "act_fn", "silu");
    Configs.only(c, "in_channels", 3L);
    Configs.only(c, "out_channels", 3L);
    List<Integer> channels = Configs.list(c, "block_out_channels");
    types(c, "down_block_types", "DownEncoderBlock2D", channels.size());
    types(c, "up_block_types", "UpDecoderBlock2D", channels.size());
    double factor = c.doubleAt("scaling_factor", 0.18215);
    if (!(factor > 0 && factor < 1e6)) {
      throw c.at("scaling_factor").unexpected("a number above 0");
    }
    return new VaeConfig(
        channels,
        Configs.positive(c, "layers_per_block", 1),
        Configs.positive(c, "latent_channels", 4),
        Configs.positive(c, "norm_num_groups", 32),
        factor,
        c.doubleAt("shift_factor", 0),
        c.boolAt("use_quant_conv", true),
        c.boolAt("use_post_quant_conv", true),
        Configs.positive(c, "sample_size", 32),
        c.boolAt("mid_block_add_attention", true));
  }

  private static void types(Json c, String key, String only, int count) {
    List<Json> types = c.at(key).elements();
    for (Json type : types) {
      if (!type.string().equals(only)) {
        throw new UnsupportedModelException(type.unexpected(only).getMessage());
      }
    }
    if (types.size() != count) {
      throw c.at(key).unexpected("as many as block_out_channels, " + count);
    }
  }

  @Override
  public int scale() {
    return 1 << (channels.size() - 1);
  }

  @Override
  public boolean isDrawn() {
    return true;
  }

  @Override
  public Graph decoder(WeightUsage usage, int height, int width) {
    return VaeGraphs.decoder(this, usage, height, width);
  }

  @Override
  public Graph encoder(WeightUsage usage, int height, int width) {
    return VaeGraphs.encoder(this, usage, height, width);
  }
}
