package dev.lmm.examples;

import dev.lmm.Generator;
import dev.lmm.Models;
import java.nio.file.Path;

/** Makes a picture of a text, and saves what the model has of it after each denoising step. */
public final class TextToImage {
  private TextToImage() {}

  /**
   * Writes {@code step-00.png}, {@code step-01.png}, … and {@code result.png}.
   *
   * @param arguments model, prompt, folder
   */
  public static void main(String[] arguments) {
    Path folder = Path.of(arguments[2]);
    try (Generator generator = Models.generator(arguments[0]).load()) {
      generator
          .generate(arguments[1])
          .scheduler("ddim")
          .steps(20)
          .seed(7)
          .onStep(
              step -> step.decoded().save(folder.resolve("step-%02d.png".formatted(step.index()))))
          .run()
          .get(0)
          .save(folder.resolve("result.png"));
    }
  }
}
