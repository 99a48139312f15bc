package dev.lmm.core.engine;

import dev.lmm.Precision;
import dev.lmm.core.graph.Graph;
import java.util.Set;

/**
 * Turns graphs into programs. Found with {@link java.util.ServiceLoader}; one object a process.
 * Thread-safe.
 */
public interface Engine {
  /**
   * The name callers choose it by.
   *
   * @return for instance {@code onnx}
   */
  String name();

  /**
   * Which engine {@code auto} takes where several can do the work: the highest.
   *
   * @return the priority; the interpreter has 0
   */
  int priority();

  /**
   * Whether it can run here: its natives are there and load. The first call may load them.
   *
   * @return what was found, and if it cannot run, why and what to do
   */
  EngineStatus status();

  /**
   * What it can compute in on a device; asking for anything else is refused with this list.
   *
   * @param device one of those that {@link #status} lists, or that it would have if all it needs
   *     were there
   * @return precisions, without {@code AUTO}; empty if it never computes there
   */
  default Set<Precision> precisions(String device) {
    return Set.of(Precision.FP32);
  }

  /**
   * Compiles a graph.
   *
   * @param graph a verified graph
   * @param weights the checkpoint; must outlive the program
   * @param options device, precision and so on
   * @return a program, to be closed
   * @throws dev.lmm.EngineException if the graph cannot be compiled
   * @throws dev.lmm.CheckpointException if a weight cannot be read
   */
  Program compile(Graph graph, WeightStore weights, CompileOptions options);
}
