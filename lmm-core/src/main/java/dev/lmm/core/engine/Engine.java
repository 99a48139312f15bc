package dev.lmm.core.engine;

import dev.lmm.Precision;
import dev.lmm.core.graph.Graph;
import java.nio.file.Path;
import java.util.Optional;
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
   * The native libraries that it loads on this platform, to be carried to another machine.
   *
   * @return its libraries; empty if it has none, or leaves them to the application
   */
  default Optional<NativeFiles> natives() {
    return Optional.empty();
  }

  /**
   * Loads its native libraries from a folder from now on. The caller has made sure that they are of
   * the version and the platform that {@link #natives} names, and may be trusted.
   *
   * @param folder with the files that {@link #natives} names
   * @return false if it has loaded others already, or has none
   */
  default boolean useNatives(Path folder) {
    return false;
  }

  /**
   * Why it computes on no GPU.
   *
   * @return what is missing and how to get it; empty if {@link #status} lists one, or if it never
   *     computes on one
   */
  default String withoutGpu() {
    return "";
  }

  /**
   * Whether linear layers are multiplied with codes of a form; what is not is unpacked when it is
   * compiled, so that few bits save no memory.
   *
   * @param layout how codes lie
   * @param bits of a code, 4 or 8
   * @return whether such weights should be made for this engine
   */
  default boolean multiplies(QuantizedTensor.Layout layout, int bits) {
    return true;
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
