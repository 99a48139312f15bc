package dev.lmm.core.engine.reference;

import dev.lmm.Check;
import dev.lmm.Precision;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.EngineStatus;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Graph;
import java.util.List;
import java.util.Set;

/**
 * The interpreter. It needs no natives and computes every operator as its definition says, sums in
 * double precision, one thread. For tests, for finding mistakes, and where nothing else runs; never
 * chosen by {@code auto}. Thread-safe.
 */
public final class ReferenceEngine implements Engine {
  /** Makes the engine; callers ask {@link dev.lmm.core.engine.Engines}. */
  public ReferenceEngine() {}

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public int priority() {
    return 0;
  }

  @Override
  public EngineStatus status() {
    return new EngineStatus(true, "", List.of("cpu"), "plain Java, slow");
  }

  @Override
  public Set<Precision> precisions(String device) {
    return device.equals("cpu") ? Set.of(Precision.FP32, Precision.INT8, Precision.INT4) : Set.of();
  }

  /**
   * Reads all weights into the heap, as floats.
   *
   * @param options device, which must be {@code cpu}, and precision
   */
  @Override
  public Program compile(Graph graph, WeightStore weights, CompileOptions options) {
    Check.notNull(graph, "graph");
    Check.notNull(weights, "weights");
    Engines.requireSupported(this, Check.notNull(options, "options"));
    return new ReferenceProgram(graph, weights);
  }
}
