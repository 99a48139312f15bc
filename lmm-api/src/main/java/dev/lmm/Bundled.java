package dev.lmm;

import java.nio.file.Path;
import java.util.List;

/**
 * A bundle that was written.
 *
 * @param file where it is
 * @param bytes its length
 * @param models the models in it, by the names to load them by: {@code FILE} if it is one, else
 *     {@code FILE#NAME}
 * @param natives the native libraries in it, each with its version
 */
public record Bundled(Path file, long bytes, List<String> models, List<String> natives) {
  /**
   * Copies the lists.
   *
   * @param file where it is
   * @param bytes its length
   * @param models the models in it
   * @param natives the native libraries in it
   */
  public Bundled {
    models = List.copyOf(models);
    natives = List.copyOf(natives);
  }
}
