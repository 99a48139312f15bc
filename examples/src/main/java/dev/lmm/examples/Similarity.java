package dev.lmm.examples;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Score;
import java.nio.file.Path;
import java.util.List;

/** Which of some texts fits a picture? In any language the model knows. */
public final class Similarity {
  private Similarity() {}

  /**
   * Prints the texts, best first.
   *
   * @param arguments model, picture, texts; for instance {@code tiny-clip a.png "a red circle on a
   *     blue background" "파란 배경에 빨간 원"}
   */
  public static void main(String[] arguments) {
    List<String> texts = List.of(arguments).subList(2, arguments.length);
    try (Encoder encoder = Models.encoder(arguments[0]).load()) {
      List<Score> scores = encoder.rank(Image.read(Path.of(arguments[1])), texts);
      Score.sorted(scores).forEach(s -> System.out.println(s.text() + ": " + s.probability()));
    }
  }
}
