package dev.lmm.diffusion.internal;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import java.util.List;
import java.util.Map;

/**
 * config.json of a tiny autoencoder ({@code AutoencoderTiny}; TAESD), with diffusers' defaults for
 * absent keys.
 *
 * @param encoderChannels of each level of the encoder
 * @param encoderBlocks blocks of each level of the encoder
 * @param decoderChannels of each level of the decoder
 * @param decoderBlocks blocks of each level of the decoder
 * @param latentChannels channels of the latents
 * @param activation between convolutions
 * @param upsampling factor between the decoder's levels
 * @param scalingFactor latents of the UNet are so many times those of the autoencoder
 * @param shiftFactor subtracted before that; 0 for nothing
 */
record TinyVaeConfig(
    List<Integer> encoderChannels,
    List<Integer> encoderBlocks,
    List<Integer> decoderChannels,
    List<Integer> decoderBlocks,
    int latentChannels,
    Op activation,
    int upsampling,
    double scalingFactor,
    double shiftFactor)
    implements Codec {
  private static final Map<String, Op> ACTIVATIONS =
      Map.of("relu", Op.RELU, "silu", Op.SILU, "swish", Op.SILU, "gelu", Op.GELU);

  static TinyVaeConfig of(Json c) {
    Configs.only(c, "in_channels", 3L);
    Configs.only(c, "out_channels", 3L);
    Configs.only(c, "upsample_fn", "nearest");
    String name = c.stringAt("act_fn", "relu");
    Op activation = ACTIVATIONS.get(name);
    if (activation == null) {
      throw new UnsupportedModelException(
          c.at("act_fn").unexpected("one of " + ACTIVATIONS.keySet()).getMessage());
    }
    double factor = c.doubleAt("scaling_factor", 1);
    if (!(factor > 0 && factor < 1e6)) {
      throw c.at("scaling_factor").unexpected("a number above 0");
    }
    List<Integer> encoder = levels(c, "encoder_block_out_channels", List.of(64, 64, 64, 64));
    List<Integer> decoder = levels(c, "decoder_block_out_channels", List.of(64, 64, 64, 64));
    TinyVaeConfig config =
        new TinyVaeConfig(
            encoder,
            levels(c, "num_encoder_blocks", List.of(1, 3, 3, 3)),
            decoder,
            levels(c, "num_decoder_blocks", List.of(3, 3, 3, 1)),
            Configs.positive(c, "latent_channels", 4),
            activation,
            Configs.positive(c, "upsampling_scaling_factor", 2),
            factor,
            c.doubleAt("shift_factor", 0));
    if (config.encoderBlocks.size() != encoder.size()
        || config.decoderBlocks.size() != decoder.size()
        || encoder.size() != decoder.size()
        || config.upsampling != 2) {
      throw new UnsupportedModelException(
          c.source()
              + ": encoder and decoder differ in levels, or levels differ by another factor than"
              + " 2; expected as many numbers of channels as of blocks, for both");
    }
    return config;
  }

  private static List<Integer> levels(Json c, String key, List<Integer> absent) {
    if (!c.hasValue(key)) {
      return absent;
    }
    return Configs.list(c, key);
  }

  @Override
  public int scale() {
    return 1 << (decoderChannels.size() - 1);
  }

  /** What it makes of a picture is the latents, not a distribution. */
  @Override
  public boolean isDrawn() {
    return false;
  }

  /** Its memory is small whatever the picture's size. */
  @Override
  public int tileSize() {
    return 0;
  }

  @Override
  public Graph decoder(WeightUsage usage, int height, int width) {
    return TinyVaeGraphs.decoder(this, usage, height, width);
  }

  @Override
  public Graph encoder(WeightUsage usage, int height, int width) {
    return TinyVaeGraphs.encoder(this, usage, height, width);
  }
}
