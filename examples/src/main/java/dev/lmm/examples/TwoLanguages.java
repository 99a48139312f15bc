package dev.lmm.examples;

import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.Models;
import java.util.List;

/** How near a sentence and its translation lie to each other, and to something else. */
public final class TwoLanguages {
  private TwoLanguages() {}

  /**
   * Prints both cosines.
   *
   * @param arguments model, sentence, translation, another sentence
   */
  public static void main(String[] arguments) {
    try (Encoder encoder = Models.encoder(arguments[0]).load()) {
      Embeddings texts = encoder.texts(List.of(arguments[1], arguments[2], arguments[3])).run();
      System.out.printf("translation: %.3f%n", texts.cosine(0, texts, 1));
      System.out.printf("something else: %.3f%n", texts.cosine(0, texts, 2));
    }
  }
}
