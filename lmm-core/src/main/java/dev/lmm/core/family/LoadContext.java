package dev.lmm.core.family;

import dev.lmm.ModelInfo;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.json.Json;
import java.nio.file.Path;

/**
 * What a family loads from.
 *
 * @param info what the caller will be told was loaded
 * @param folder the checkpoint's folder
 * @param config its config.json
 * @param weights its tensors
 * @param engine what computes
 * @param options how to compile
 */
public record LoadContext(
    ModelInfo info,
    Path folder,
    Json config,
    WeightStore weights,
    Engine engine,
    CompileOptions options) {

  /**
   * Compiles a graph of this checkpoint.
   *
   * @param graph the graph
   * @return the program, to be closed
   */
  public Program compile(Graph graph) {
    return engine.compile(graph, weights, options);
  }
}
