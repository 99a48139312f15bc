package dev.lmm.examples;

import dev.lmm.Grounder;
import dev.lmm.Image;
import dev.lmm.Located;
import dev.lmm.Models;
import java.nio.file.Path;

/** Finds things in a picture and draws boxes around them. */
public final class Boxes {
  private Boxes() {}

  /**
   * Prints what was found and where, and writes a copy of the picture with boxes.
   *
   * @param arguments model, picture, what to look for, file to write
   */
  public static void main(String[] arguments) {
    Image photo = Image.read(Path.of(arguments[1]));
    try (Grounder grounder = Models.grounder(arguments[0]).load()) {
      Located found = grounder.locate(photo, arguments[2]).run();
      found.regions().forEach(r -> System.out.println(r.label() + ": " + r.box()));
      found.draw(photo).save(Path.of(arguments[3]));
    }
  }
}
