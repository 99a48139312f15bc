package dev.lmm.examples;

import dev.lmm.Captioner;
import dev.lmm.Image;
import dev.lmm.Models;
import java.nio.file.Path;

/** Describes a picture, and answers a question about it. */
public final class Captions {
  private Captions() {}

  /**
   * Prints a caption and an answer.
   *
   * @param arguments model, picture, question; for instance {@code Salesforce/blip2-opt-2.7b a.jpg
   *     "What is the weather like?"}
   */
  public static void main(String[] arguments) {
    Image photo = Image.read(Path.of(arguments[1]));
    try (Captioner captioner = Models.captioner(arguments[0]).load()) {
      System.out.println(captioner.caption(photo).beams(3).maxTokens(20).run().text());
      System.out.println(captioner.ask(photo, arguments[2]).maxTokens(10).run().text());
    }
  }
}
