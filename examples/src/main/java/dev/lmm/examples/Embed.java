package dev.lmm.examples;

import dev.lmm.Encoder;
import dev.lmm.FilesOptions;
import dev.lmm.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Embeds a folder of pictures, for a database of your own. */
public final class Embed {
  private Embed() {}

  /**
   * Prints the length of each picture's embedding, or why it has none.
   *
   * @param arguments model, folder
   * @throws IOException if the folder cannot be read
   */
  public static void main(String[] arguments) throws IOException {
    List<Path> files;
    try (Stream<Path> list = Files.list(Path.of(arguments[1]))) {
      files = list.filter(Files::isRegularFile).sorted().toList();
    }
    try (Encoder encoder = Models.encoder(arguments[0]).load()) {
      encoder.embedFiles(
          files,
          FilesOptions.DEFAULT,
          result -> {
            if (result.vector() != null) { // null for a file that is no picture
              System.out.println(result.file().getFileName() + ": " + result.vector().length);
            } else {
              System.out.println(result.failure().getMessage());
            }
          });
    }
  }
}
