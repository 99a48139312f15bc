package dev.lmm.examples;

import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.Models;
import java.nio.file.Path;

/** Makes a new picture out of an old one: the strength says how much of it may change. */
public final class ImageToImage {
  private ImageToImage() {}

  /**
   * Writes the new picture.
   *
   * @param arguments model, picture, prompt, strength, file to write
   */
  public static void main(String[] arguments) {
    Image photo = Image.read(Path.of(arguments[1]));
    try (Generator generator = Models.generator(arguments[0]).load()) {
      generator
          .generate(arguments[2])
          .from(photo)
          .strength(Double.parseDouble(arguments[3]))
          .scheduler("ddim")
          .steps(20)
          .seed(7)
          .run()
          .get(0)
          .save(Path.of(arguments[4]));
    }
  }
}
