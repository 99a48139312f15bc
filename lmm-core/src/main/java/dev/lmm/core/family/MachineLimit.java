package dev.lmm.core.family;

import dev.lmm.core.checkpoint.RandomWeights;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.WeightUsage;
import java.util.Map;

/** What a machine can do at best, measured: the yardstick for a model's speed. */
public final class MachineLimit {
  private static final int SIZE = 1536;
  private static final int ROUNDS = 8;

  private MachineLimit() {}

  /**
   * The rate of large single precision matrix products on an engine.
   *
   * @param engine the engine
   * @param options device and threads, as the model has them
   * @return floating point operations a second, the best of several rounds; takes about a second
   */
  public static double gemmRate(Engine engine, CompileOptions options) {
    try (RandomWeights weights = new RandomWeights(1)) {
      GraphBuilder g = new GraphBuilder("limit", new WeightUsage(weights, "the measurement"));
      var x = g.input("x", DType.F32, SIZE, SIZE);
      g.output("y", g.linear(x, g.weight("w.weight", SIZE, SIZE), null));
      Graph graph = g.build();
      try (Program program = engine.compile(graph, weights, options)) {
        Map<String, Tensor> input = Map.of("x", Tensor.zeros(DType.F32, SIZE, SIZE));
        program.run(input);
        double best = Double.MAX_VALUE;
        for (int i = 0; i < ROUNDS; i++) {
          long start = System.nanoTime();
          program.run(input);
          best = Math.min(best, (System.nanoTime() - start) / 1e9);
        }
        return 2.0 * SIZE * SIZE * SIZE / best;
      }
    }
  }
}
