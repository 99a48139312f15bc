package dev.lmm.pytorch;

import dev.lmm.Check;
import dev.lmm.Precision;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.EngineStatus;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Graph;
import dev.lmm.pytorch.internal.TorchProgram;
import dev.lmm.pytorch.internal.TorchRuntime;
import java.util.Set;

/**
 * Runs graphs in PyTorch (libtorch 2.7.1 through DJL) on the processor. The graph becomes a
 * TorchScript archive in memory; single precision weights are used where they lie in the
 * checkpoint's own files, and at {@code BF16} those of that type.
 *
 * <p>At {@code BF16}, linear layers and convolutions multiply in that type and everything between
 * them stays in single precision. At {@code INT8}, linear layers have 8-bit weights with a scale
 * for each output, and 7-bit activations with one scale a product. At {@code INT4}, they have
 * blocks of 4-bit weights, and activations in bfloat16.
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
    return device.equals("cpu")
        ? Set.of(Precision.FP32, Precision.BF16, Precision.INT8, Precision.INT4)
        : Set.of();
  }

  /** PyTorch multiplies 8 bits with a scale for each output, and blocks of 4 bits. */
  @Override
  public boolean multiplies(QuantizedTensor.Layout layout, int bits) {
    return layout == QuantizedTensor.Layout.COLUMNS || bits == 4;
  }

  @Override
  public Program compile(Graph graph, WeightStore weights, CompileOptions options) {
    Check.notNull(graph, "graph");
    Check.notNull(weights, "weights");
    Engines.requireSupported(this, Check.notNull(options, "options"));
    return TorchProgram.compile(graph, weights, options);
  }
}
