package dev.lmm.core.family;

import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightSource;
import java.util.Map;

/**
 * One graph of a model and the lengths of a run of it, by which memory is estimated.
 *
 * @param part the part it belongs to, by which callers choose device and precision
 * @param graph what is compiled
 * @param weights what it is compiled with
 * @param symbols the length of each symbol in a run, those of its states included
 */
public record Stage(String part, Graph graph, WeightSource weights, Map<String, Long> symbols) {
  /**
   * Copies the map.
   *
   * @param part the part it belongs to
   * @param graph what is compiled
   * @param weights what it is compiled with
   * @param symbols the length of each symbol
   */
  public Stage {
    symbols = Map.copyOf(symbols);
  }

  /**
   * A graph that is named after its part: what follows the last dot of its name.
   *
   * @param graph what is compiled, for instance {@code clip.vision}
   * @param weights what it is compiled with
   * @param symbols the length of each symbol
   * @return the stage
   */
  public static Stage of(Graph graph, WeightSource weights, Map<String, Long> symbols) {
    return new Stage(LoadContext.part(graph), graph, weights, symbols);
  }
}
