package dev.lmm.core.engine;

import dev.lmm.core.graph.Graph;
import java.util.Map;
import java.util.Set;

/**
 * A compiled graph. Thread-safe: runs may overlap (each {@link ProgramState} in one run at a time).
 * Closing waits for running calls, is harmless twice, and makes every later call throw {@link
 * dev.lmm.ClosedException}.
 */
public interface Program extends AutoCloseable {
  /**
   * What was compiled.
   *
   * @return the graph
   */
  Graph graph();

  /**
   * Runs.
   *
   * @param inputs one tensor for each input of the graph; read in place, not copied
   * @param outputs names of the outputs wanted; all if empty
   * @param options state, cancellation
   * @return the outputs, in memory of their own
   * @throws dev.lmm.InvalidRequestException if an input is missing, surplus, or of another type or
   *     shape
   * @throws dev.lmm.CancelledException if the run was cancelled, or its thread interrupted
   * @throws dev.lmm.ClosedException after close
   * @throws dev.lmm.EngineException if the engine fails
   */
  Map<String, Tensor> run(Map<String, Tensor> inputs, Set<String> outputs, RunOptions options);

  /**
   * Runs for all outputs, without state.
   *
   * @param inputs one tensor for each input of the graph
   * @return the outputs
   */
  default Map<String, Tensor> run(Map<String, Tensor> inputs) {
    return run(inputs, Set.of(), RunOptions.NONE);
  }

  /**
   * A new state with all buffers zero, for one conversation.
   *
   * @param symbols the lengths of symbols that occur in the states' shapes, for instance batch and
   *     capacity
   * @return the state, to be closed
   * @throws dev.lmm.InvalidRequestException if a symbol is missing
   */
  ProgramState newState(Map<String, Long> symbols);

  @Override
  void close();
}
