package dev.lmm.core.family;

import dev.lmm.InvalidRequestException;
import dev.lmm.ModelNotFoundException;
import dev.lmm.core.hub.Bundle;
import dev.lmm.core.hub.BundledModels;
import dev.lmm.core.hub.Hub;
import dev.lmm.core.hub.HubCache;
import dev.lmm.core.hub.HubId;
import dev.lmm.core.hub.HubOptions;
import dev.lmm.core.hub.HubOutline;
import dev.lmm.spi.LoadOptions;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Turns an id into a folder: a folder, a bundle, a bundled model, or a hub id. */
final class ModelFolders {
  private ModelFolders() {}

  /**
   * A model's files.
   *
   * @param folder with them
   * @param variant of the weights, or empty
   */
  record Found(Path folder, String variant) {}

  static Found find(String id, LoadOptions options) {
    String variant = options.download().variant();
    Bundle.Unpacked unpacked = Bundle.find(id, options.download());
    if (unpacked != null) {
      return new Found(unpacked.folder(), variant.isEmpty() ? unpacked.variant() : variant);
    }
    Path local = local(id, options);
    return new Found(local == null ? fromHub(id, options) : local, variant);
  }

  private static Path fromHub(String id, LoadOptions options) {
    HubOptions hub = HubOptions.fromEnvironment().with(options);
    Path snapshot = Hub.resolve(id, hub);
    if (options.download().verified()) {
      new HubCache(hub.cache()).requireIntact(id);
    }
    return snapshot;
  }

  /** As {@link #find}, but of a hub's model that is not here no more than configs and headers. */
  static HubOutline outline(String id, LoadOptions options) {
    Bundle.Unpacked unpacked = Bundle.find(id, options.download());
    Path local = unpacked == null ? local(id, options) : unpacked.folder();
    return local == null
        ? Hub.outline(id, HubOptions.fromEnvironment().with(options))
        : new HubOutline(local, null);
  }

  /** A folder or bundled model; null for a hub id. */
  private static @Nullable Path local(String id, LoadOptions options) {
    Path folder = folder(id);
    if (folder != null) {
      if (options.download().verified()) {
        throw new InvalidRequestException(
            folder + ": is a folder, which has no hashes to be verified by; load it by its hub id");
      }
      return folder;
    }
    // Compared with its hashes whenever it is found.
    Path bundled = BundledModels.find(id);
    if (bundled != null || HubId.looksLike(id)) {
      return bundled;
    }
    throw new ModelNotFoundException(
        id
            + ": is no folder, no file of lmm bundle, no bundled model and no hub id (owner/name);"
            + " bundled on the class path are "
            + BundledModels.names()
            + (BundledModels.names().isEmpty()
                ? ": add dev.lmm:lmm-tiny for the tiny models"
                : ""));
  }

  private static @Nullable Path folder(String id) {
    try {
      Path path = Path.of(id);
      return Files.isDirectory(path) ? path : null;
    } catch (InvalidPathException e) {
      return null;
    }
  }
}
