package dev.lmm.core.family;

import dev.lmm.ModelInfo;
import dev.lmm.Precision;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.json.Json;
import dev.lmm.core.quantization.PackedWeights;
import dev.lmm.core.quantization.Recipe;
import dev.lmm.core.quantization.Rules;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * What a family loads from.
 *
 * @param info what the caller will be told was loaded
 * @param folder the checkpoint's folder
 * @param config its config.json, or model_index.json if it has several folders
 * @param files its tensors
 * @param placement engine, device and precision of each part
 * @param compiled the parts compiled so far; {@link #compile} adds to it
 */
public record LoadContext(
    ModelInfo info,
    Path folder,
    Json config,
    CheckpointParts files,
    Placement placement,
    Set<String> compiled) {
  /**
   * The tensors of the checkpoint's own folder.
   *
   * @return the tensors; closed by the loader, after the model
   */
  public WeightStore weights() {
    return files.open(folder);
  }

  /**
   * The tensors of a folder below the checkpoint's own, as diffusers publishes each part.
   *
   * @param part name of the folder, for instance {@code unet}
   * @return the tensors; closed by the loader, after the model
   */
  public WeightStore weights(String part) {
    return files.open(folder.resolve(part));
  }

  /**
   * Compiles a graph of this checkpoint for the part it is named after: what follows the last dot
   * of its name.
   *
   * @param graph the graph, for instance {@code clip.vision}
   * @return the program, to be closed
   */
  public Program compile(Graph graph) {
    return compile(part(graph), graph);
  }

  static String part(Graph graph) {
    return graph.name().substring(graph.name().lastIndexOf('.') + 1);
  }

  /**
   * Compiles a graph of this checkpoint.
   *
   * @param part the part it belongs to, by which callers choose device and precision
   * @param graph the graph
   * @return the program, to be closed
   */
  public Program compile(String part, Graph graph) {
    return compile(part, graph, weights());
  }

  /**
   * Compiles a graph of a part that has weights of its own, as those of diffusion pipelines do.
   *
   * @param part the part, by which callers choose device and precision
   * @param graph the graph
   * @param own the part's tensors; must outlive the program
   * @return the program, to be closed
   */
  public Program compile(String part, Graph graph, WeightStore own) {
    return compile(part, graph, own, placement.of(part), placement.keepsPublishedCodes(part));
  }

  /**
   * Compiles a graph in single precision, whatever the caller asked for the part: where numbers
   * overflowed in a narrower one.
   *
   * @param part the part it belongs to
   * @param graph the graph
   * @param own the part's tensors; must outlive the program
   * @return the program, to be closed
   */
  public Program compileInSinglePrecision(String part, Graph graph, WeightStore own) {
    return compile(part, graph, own, placement.inSinglePrecision(part), false);
  }

  /**
   * What a part is computed in.
   *
   * @param part its name
   * @return never {@code AUTO}
   */
  public Precision precision(String part) {
    return placement.of(part).precision();
  }

  private Program compile(
      String part, Graph graph, WeightStore own, CompileOptions options, boolean keepsCodes) {
    compiled.add(part);
    WeightStore stored = keepsCodes ? own : PackedWeights.unpacked(own);
    Map<WeightRef, Recipe> recipes =
        Rules.of(
            graph,
            options.precision(),
            placement.quantization(),
            placement.engine().multiplies(QuantizedTensor.Layout.BLOCKS, 8));
    recipes.keySet().removeIf(weight -> stored.quantized(weight) != null);
    WeightStore weights = files.quantized(stored, recipes);
    CompileEvent event = new CompileEvent();
    event.begin();
    Program program = placement.engine().compile(graph, weights, options);
    event.end();
    if (event.shouldCommit()) {
      event.tell(graph, part, placement.engine().name(), options);
      event.commit();
    }
    return program;
  }
}
