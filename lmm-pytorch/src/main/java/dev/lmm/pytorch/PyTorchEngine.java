package dev.lmm.pytorch;

import dev.lmm.Check;
import dev.lmm.Precision;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.EngineStatus;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Graph;
import dev.lmm.pytorch.internal.TorchProgram;
import dev.lmm.pytorch.internal.TorchRuntime;
import java.util.Set;

/**
 * Runs graphs in PyTorch (libtorch 2.7.1 through DJL) on the processor, in single precision. The
 * graph becomes a TorchScript archive in memory; single precision weights are used where they lie
 * in the checkpoint's own files.
 *
 * <p>Thread-safe.
 */
public final class PyTorchEngine implements Engine {
  /** For {@link java.util.ServiceLoader}. */
  public PyTorchEngine() {}

  @Override
  public String name() {
    return "pytorch";
  }

  /** Below ONNX Runtime, which is faster on the processor. */
  @Override
  public int priority() {
    return 50;
  }

  @Override
  public EngineStatus status() {
    return TorchRuntime.status();
  }

  @Override
  public Set<Precision> precisions(String device) {
    return device.equals("cpu") ? Set.of(Precision.FP32) : Set.of();
  }

  @Override
  public Program compile(Graph graph, WeightStore weights, CompileOptions options) {
    Check.notNull(graph, "graph");
    Check.notNull(weights, "weights");
    Engines.requireSupported(this, Check.notNull(options, "options"));
    return TorchProgram.compile(graph, weights, options);
  }
}
