package dev.lmm.diffusion.internal;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;

/** A kind of autoencoder: what its config says, and its graphs for one size. */
interface Codec {
  /** The one that a config.json describes. */
  static Codec of(Json config) {
    String type = config.stringAt("_class_name", "AutoencoderKL");
    return switch (type) {
      case "AutoencoderKL" -> VaeConfig.of(config);
      case "AutoencoderTiny" -> TinyVaeConfig.of(config);
      default ->
          throw new UnsupportedModelException(
              config.at("_class_name").unexpected("AutoencoderKL or AutoencoderTiny").getMessage());
    };
  }

  /** Pixels on each side that a latent stands for. */
  int scale();

  /** Channels of the latents. */
  int latentChannels();

  /** The UNet's latents are so many times the autoencoder's. */
  double scalingFactor();

  /** Subtracted before that. */
  double shiftFactor();

  /** Whether latents are drawn from what the encoder makes: means, and logarithms of variances. */
  boolean isDrawn();

  /** Side of the tiles that large pictures are cut into, in pixels; 0 if they never are. */
  int tileSize();

  /**
   * {@code latents} [batch, channels, h, w] to {@code picture} [batch, 3, h', w'], about -1 to 1.
   */
  Graph decoder(WeightUsage usage, int height, int width);

  /** {@code picture} [batch, 3, h, w], -1 to 1, to one output. */
  Graph encoder(WeightUsage usage, int height, int width);
}
