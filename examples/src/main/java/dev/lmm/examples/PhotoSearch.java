package dev.lmm.examples;

import dev.lmm.Encoder;
import dev.lmm.Models;
import dev.lmm.search.PhotoIndex;
import java.nio.file.Path;

/** Finds the pictures of a folder by a text, in any language the model knows. */
public final class PhotoSearch {
  private PhotoSearch() {}

  /**
   * Prints the three best. The first run embeds every picture, later ones what is new or changed.
   *
   * @param arguments model, folder, text
   */
  public static void main(String[] arguments) {
    try (Encoder encoder = Models.encoder(arguments[0]).load();
        PhotoIndex photos = PhotoIndex.open(encoder, Path.of(arguments[1]))) {
      photos.update().onSkipped(file -> System.out.println("skipped: " + file.reason())).run();
      photos.search(arguments[2]).top(3).run().stream()
          .map(found -> found.photo().file().getFileName())
          .forEach(System.out::println);
    }
  }
}
