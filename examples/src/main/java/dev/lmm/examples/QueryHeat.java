package dev.lmm.examples;

import dev.lmm.Image;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.QueryMaps;
import java.nio.file.Path;

/** Shows where each of BLIP-2's queries looks. */
public final class QueryHeat {
  private QueryHeat() {}

  /**
   * Writes one sheet with a heat map for each query.
   *
   * @param arguments model, picture, file to write
   */
  public static void main(String[] arguments) {
    Image photo = Image.read(Path.of(arguments[1]));
    try (Model blip = Models.load(arguments[0])) {
      QueryMaps maps = blip.queries().look(photo).run();
      maps.sheet(photo).save(Path.of(arguments[2]));
    }
  }
}
