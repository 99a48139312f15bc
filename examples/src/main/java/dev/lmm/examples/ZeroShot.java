package dev.lmm.examples;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Score;
import dev.lmm.ZeroShotClassifier;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Names pictures by labels that nobody trained a classifier for. */
public final class ZeroShot {
  private ZeroShot() {}

  /**
   * Prints the best label of each picture.
   *
   * @param arguments model, then pictures
   */
  public static void main(String[] arguments) {
    List<Path> pictures = Arrays.stream(arguments, 1, arguments.length).map(Path::of).toList();
    try (Encoder encoder = Models.encoder(arguments[0]).load()) {
      ZeroShotClassifier backgrounds =
          encoder.classifier(
              List.of("red", "green", "blue", "yellow", "black", "white"),
              List.of("a circle on a {} background", "a white star on a {} background"));
      for (Path picture : pictures) {
        Score best = Score.best(backgrounds.classify(Image.read(picture)));
        System.out.println(picture.getFileName() + ": " + best.text());
      }
    }
  }
}
