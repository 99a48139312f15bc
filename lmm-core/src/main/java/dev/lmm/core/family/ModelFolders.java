package dev.lmm.core.family;

import dev.lmm.ModelNotFoundException;
import dev.lmm.core.hub.BundledModels;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Turns an id into a folder: a bundled model, a folder, or a hub id in the cache. */
final class ModelFolders {
  private static final Pattern HUB_ID =
      Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*(@[A-Za-z0-9._/-]+)?");

  private ModelFolders() {}

  static Path find(String id, boolean offline) {
    Path folder = folder(id);
    if (folder != null) {
      return folder;
    }
    Path bundled = BundledModels.find(id);
    if (bundled != null) {
      return bundled;
    }
    throw new ModelNotFoundException(
        id
            + ": is no folder and no bundled model; bundled on the class path are "
            + BundledModels.names()
            + (HUB_ID.matcher(id).matches()
                ? ". It looks like a hub id: download its files into a folder and name the folder"
                : ". Add dev.lmm:lmm-tiny for the tiny models"));
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
