package dev.lmm.core.family;

import dev.lmm.InvalidRequestException;
import dev.lmm.ModelNotFoundException;
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

/** Turns an id into a folder: a folder, a bundled model, or a hub id. */
final class ModelFolders {
  private ModelFolders() {}

  static Path find(String id, LoadOptions options) {
    Path local = local(id, options);
    if (local != null) {
      return local;
    }
    HubOptions hub = HubOptions.fromEnvironment().with(options);
    Path snapshot = Hub.resolve(id, hub);
    if (options.download().verified()) {
      new HubCache(hub.cache()).requireIntact(id);
    }
    return snapshot;
  }

  /** As {@link #find}, but of a hub's model that is not here no more than configs and headers. */
  static HubOutline outline(String id, LoadOptions options) {
    Path local = local(id, options);
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
            + ": is no folder, no bundled model and no hub id (owner/name); bundled on the class"
            + " path are "
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
