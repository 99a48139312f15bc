package dev.lmm.examples;

import dev.lmm.Encoder;
import dev.lmm.FilesOptions;
import dev.lmm.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Finds the pictures of a folder that fit a text best. */
public final class PhotoSearch {
  private PhotoSearch() {}

  /**
   * Prints the three best.
   *
   * @param arguments model, folder, text
   * @throws IOException if the folder cannot be read
   */
  public static void main(String[] arguments) throws IOException {
    List<Path> files;
    try (Stream<Path> list = Files.list(Path.of(arguments[1]))) {
      files = list.filter(Files::isRegularFile).sorted().toList();
    }
    try (Encoder encoder = Models.encoder(arguments[0]).load()) {
      Map<Path, float[]> index = new TreeMap<>();
      encoder.embedFiles(
          files,
          FilesOptions.DEFAULT,
          result -> {
            if (result.vector() != null) { // null for a file that is no picture
              index.put(result.file(), result.vector());
            }
          });
      float[] query = encoder.embed(arguments[2]);
      index.entrySet().stream()
          .sorted(Comparator.comparingDouble(e -> -dot(query, e.getValue())))
          .limit(3)
          .forEach(e -> System.out.println(e.getKey().getFileName()));
    }
  }

  /** The cosine, for vectors of length 1. */
  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
