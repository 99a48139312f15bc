package dev.lmm.core.hub;

import java.nio.file.Path;
import java.util.Locale;

/**
 * The library's own cache: bundled models, unpacked natives, quantized weights. Never inside a
 * hub's cache.
 */
public final class CacheFolder {
  private CacheFolder() {}

  /**
   * A part of the cache. It may not exist yet.
   *
   * @param part for instance {@code natives}
   * @return {@code $LMM_CACHE} or the system property {@code lmm.cache}, else the platform's place
   *     for caches
   */
  public static Path of(String part) {
    return root().resolve(part);
  }

  private static Path root() {
    String property = System.getProperty("lmm.cache", "");
    if (!property.isBlank()) {
      return Path.of(property);
    }
    String variable = System.getenv().getOrDefault("LMM_CACHE", "");
    if (!variable.isBlank()) {
      return Path.of(variable);
    }
    String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    Path home = Path.of(System.getProperty("user.home", "."));
    if (os.contains("win")) {
      String local = System.getenv().getOrDefault("LOCALAPPDATA", "");
      return (local.isBlank() ? home.resolve("AppData/Local") : Path.of(local)).resolve("lmm");
    }
    if (os.contains("mac")) {
      return home.resolve("Library/Caches/lmm");
    }
    String xdg = System.getenv().getOrDefault("XDG_CACHE_HOME", "");
    return (xdg.isBlank() ? home.resolve(".cache") : Path.of(xdg)).resolve("lmm");
  }
}
