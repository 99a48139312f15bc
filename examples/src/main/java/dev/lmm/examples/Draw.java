package dev.lmm.examples;

import dev.lmm.Generator;
import dev.lmm.Models;
import java.nio.file.Path;

/** Draws a picture. */
public final class Draw {
  private Draw() {}

  public static void main(String[] arguments) {
    try (Generator painter = Models.generator("tiny-sd").load()) {
      var wish = painter.generate("a red circle on a blue background").scheduler("ddim").seed(7);
      wish.steps(20).run().get(0).save(Path.of("target", "circle.png"));
    }
  }
}
