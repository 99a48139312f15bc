package dev.lmm.onnx;

import dev.lmm.Check;
import dev.lmm.Precision;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.EngineStatus;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.NativeFiles;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Graph;
import dev.lmm.onnx.internal.Cuda;
import dev.lmm.onnx.internal.OnnxProgram;
import dev.lmm.onnx.internal.OrtRuntime;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * Runs graphs in ONNX Runtime on the processor, in single precision or with linear layers in 8 or 4
 * bits. Weights are read from the checkpoint's own files, quantized ones from the library's cache;
 * they are packed for the processor once, or with {@link CompileOptions#mapped()} used where they
 * lie.
 *
 * <p>With {@code onnxruntime_gpu} in place of {@code onnxruntime} it computes on NVIDIA cards too,
 * in single precision. That way was never run.
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
  public Set<Precision> precisions(String device) {
    if (device.equals("cpu")) {
      return Set.of(Precision.FP32, Precision.INT8, Precision.INT4);
    }
    return device.startsWith("cuda:") ? Set.of(Precision.FP32) : Set.of();
  }

  @Override
  public String withoutGpu() {
    return Cuda.find().reason();
  }

  @Override
  public Optional<NativeFiles> natives() {
    return Optional.of(OrtRuntime.nativeFiles());
  }

  @Override
  public boolean useNatives(Path folder) {
    return OrtRuntime.useNatives(Check.notNull(folder, "folder"));
  }

  @Override
  public Program compile(Graph graph, WeightStore weights, CompileOptions options) {
    Check.notNull(graph, "graph");
    Check.notNull(weights, "weights");
    Engines.requireSupported(this, Check.notNull(options, "options"));
    return OnnxProgram.compile(graph, weights, options);
  }
}
