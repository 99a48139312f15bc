package dev.lmm.examples;

import dev.lmm.Captioner;
import dev.lmm.Image;
import dev.lmm.Models;
import java.nio.file.Path;

/** Describes a picture and answers a question about it. */
public final class Questions {
  private Questions() {}

  /**
   * Prints the description and the answer.
   *
   * @param arguments model, picture, question
   */
  public static void main(String[] arguments) {
    try (Captioner captioner = Models.captioner(arguments[0]).load()) {
      Image picture = Image.read(Path.of(arguments[1]));
      System.out.println(captioner.caption(picture).run().text());
      System.out.println(captioner.ask(picture, arguments[2]).run().text());
    }
  }
}
