package dev.lmm.examples;

import dev.lmm.Image;
import dev.lmm.Matcher;
import dev.lmm.Models;
import dev.lmm.Retrieved;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Finds the pictures of a text: all are compared fast, the best looked at again. */
public final class Matching {
  private Matching() {}

  /**
   * Prints the pictures, best first.
   *
   * @param arguments model, text, pictures
   */
  public static void main(String[] arguments) {
    String text = arguments[1];
    List<String> files = Stream.of(arguments).skip(2).toList();
    List<Image> pictures = files.stream().map(file -> Image.read(Path.of(file))).toList();
    try (Matcher matcher = Models.matcher(arguments[0]).load()) {
      for (Retrieved found : matcher.retrieve(text, pictures).rerank(8).run()) {
        System.out.println(files.get(found.index()) + ": " + found.probability());
      }
    }
  }
}
