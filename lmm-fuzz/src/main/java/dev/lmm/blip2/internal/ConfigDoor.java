package dev.lmm.blip2.internal;

import dev.lmm.core.json.Json;

/** Lets the fuzz targets at this package's reader of config.json. */
public final class ConfigDoor {
  private ConfigDoor() {}

  /** Reads a config. */
  public static void read(Json json) {
    Blip2Config.of(json);
  }
}
