package dev.lmm.examples;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Precision;
import dev.lmm.Score;
import java.nio.file.Path;
import java.util.List;

/** The same model in fewer bits: smaller, faster, and how much it changes. */
public final class FewerBits {
  private FewerBits() {}

  /**
   * Prints the similarity of picture and text in each precision.
   *
   * @param arguments model, picture, text
   */
  public static void main(String[] arguments) {
    Image photo = Image.read(Path.of(arguments[1]));
    for (Precision precision : List.of(Precision.FP32, Precision.INT8, Precision.INT4)) {
      try (Encoder encoder = Models.encoder(arguments[0]).precision(precision).load()) {
        Score score = encoder.rank(photo, List.of(arguments[2])).get(0);
        System.out.printf("%s: %.4f%n", precision.label(), score.similarity());
      }
    }
  }
}
