package dev.lmm.onnx.internal;

import dev.lmm.CheckpointException;
import java.io.IOException;
import java.nio.file.Path;

/**
 * How an ONNX model names the files its weights lie in. The runtime refuses absolute locations and
 * symbolic links (a hub cache is full of them), so every file is resolved and named relative to the
 * root of its file system, which the session is told is the model's folder.
 */
final class ExternalFiles {
  private ExternalFiles() {}

  /** The folder that locations are relative to. */
  static String folder(Path file) {
    return resolve(file).getRoot().toString();
  }

  /** The file, relative to {@link #folder}, with forward slashes. */
  static String location(Path file) {
    Path real = resolve(file);
    return real.getRoot().relativize(real).toString().replace('\\', '/');
  }

  private static Path resolve(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      throw new CheckpointException(file + ": cannot be read: " + e, e);
    }
  }
}
