package dev.lmm.onnx;

import dev.lmm.Check;
import dev.lmm.EngineException;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.EngineStatus;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Graph;
import dev.lmm.onnx.internal.OnnxProgram;
import dev.lmm.onnx.internal.OrtRuntime;

/**
 * Runs graphs in ONNX Runtime on the processor, in single precision. Weights are read from the
 * checkpoint's own files; they are packed for the processor once, or with {@link
 * CompileOptions#mapped()} used where they lie.
 *
 * <p>All programs of a process share one pool of threads. Thread-safe.
 */
public final class OnnxEngine implements Engine {
  /** For {@link java.util.ServiceLoader}. */
  public OnnxEngine() {}

  @Override
  public String name() {
    return "onnx";
  }

  @Override
  public int priority() {
    return 100;
  }

  @Override
  public EngineStatus status() {
    return OrtRuntime.status();
  }

  @Override
  public Program compile(Graph graph, WeightStore weights, CompileOptions options) {
    Check.notNull(graph, "graph");
    Check.notNull(weights, "weights");
    Check.notNull(options, "options");
    if (!options.device().equals("cpu")) {
      throw new EngineException("engine onnx has no device " + options.device() + "; it has cpu");
    }
    return OnnxProgram.compile(graph, weights, options);
  }
}
