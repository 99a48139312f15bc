package dev.lmm.bench;

import dev.lmm.core.checkpoint.RandomWeights;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a call into an engine costs before it computes anything: one addition of four numbers. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@State(Scope.Thread)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class EngineCallBenchmark {
  /** Name of the engine; {@code pytorch} needs libtorch, which is not among the dependencies. */
  @Param({"onnx"})
  public String engine = "onnx";

  private final RandomWeights weights = new RandomWeights(1);
  private Map<String, Tensor> inputs = Map.of();
  private Program program;

  /** Compiles. */
  @Setup
  public void compile() {
    GraphBuilder g = new GraphBuilder("add", new WeightUsage(weights, "the benchmark"));
    Value x = g.input("x", DType.F32, "n");
    g.output("y", g.add(x, x));
    program = Engines.choose(engine).compile(g.build(), weights, CompileOptions.DEFAULT);
    inputs = Map.of("x", Tensor.of(new float[] {1, 2, 3, 4}, 4));
  }

  /**
   * One call.
   *
   * @return its output
   */
  @Benchmark
  public Map<String, Tensor> call() {
    return program.run(inputs);
  }

  /** Closes. */
  @TearDown
  public void close() {
    program.close();
    weights.close();
  }
}
