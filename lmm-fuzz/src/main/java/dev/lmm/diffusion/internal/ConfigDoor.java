package dev.lmm.diffusion.internal;

import dev.lmm.core.json.Json;
import dev.lmm.diffusion.internal.scheduler.Schedulers;

/** Lets the fuzz targets at this package's readers of configs. */
public final class ConfigDoor {
  private ConfigDoor() {}

  /** Reads a UNet's config. */
  public static void unet(Json json) {
    UnetConfig.of(json);
  }

  /** Reads an autoencoder's config. */
  public static void vae(Json json) {
    VaeConfig.of(json);
  }

  /** Reads a text encoder's config, without and with its projection. */
  public static void text(Json json) {
    TextEncoderConfig.of(json, false);
    TextEncoderConfig.of(json, true);
  }

  /** Makes the scheduler that a scheduler_config.json asks for. */
  public static void scheduler(Json json) {
    Schedulers.of(json, Schedulers.nameOf(json), null, 20);
  }
}
