package dev.lmm.examples;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Score;
import java.nio.file.Path;
import java.util.List;

/** The three lines of the README: a published checkpoint by its hub id. Downloads 600 MB once. */
public final class FirstSteps {
  private FirstSteps() {}

  /**
   * Prints the better of two texts.
   *
   * @param arguments a photograph
   */
  public static void main(String[] arguments) {
    Path photo = Path.of(arguments[0]);
    try (Encoder clip = Models.encoder("openai/clip-vit-base-patch32").load()) {
      List<Score> scores = clip.rank(Image.read(photo), List.of("a photo of a cat", "고양이 사진"));
      System.out.println(Score.best(scores).text());
    }
  }
}
