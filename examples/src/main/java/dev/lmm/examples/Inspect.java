package dev.lmm.examples;

import dev.lmm.Image;
import dev.lmm.Model;
import dev.lmm.Models;
import java.nio.file.Path;

/** What a model is made of, and what it sees of a picture and a text. */
public final class Inspect {
  private Inspect() {}

  /**
   * Prints the layers, the tokens of a text and the size of the tensor made of a picture.
   *
   * @param arguments model, picture, text
   */
  public static void main(String[] arguments) {
    try (Model model = Models.load(arguments[0])) {
      System.out.println(model.summary());
      System.out.println(model.inspect().tokenize(arguments[2]).tokens());
      System.out.println(model.inspect().preprocess(Image.read(Path.of(arguments[1]))).shape());
    }
  }
}
