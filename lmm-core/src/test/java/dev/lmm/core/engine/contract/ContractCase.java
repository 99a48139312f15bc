package dev.lmm.core.engine.contract;

import dev.lmm.core.checkpoint.RandomWeights;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * A graph with symbolic lengths, seeded random weights and inputs, under given lengths. Building it
 * twice gives the same.
 */
public final class ContractCase implements AutoCloseable {
  private final Map<String, Long> lengths;
  private final SplittableRandom random;
  private final RandomWeights weights;
  private final GraphBuilder builder;
  private final Map<String, Tensor> inputs = new LinkedHashMap<>();
  private final Graph graph;

  /**
   * Builds.
   *
   * @param name seeds the random numbers
   * @param lengths of all symbols
   * @param body writes the graph
   */
  public ContractCase(String name, Map<String, Long> lengths, Consumer<ContractCase> body) {
    this(name, lengths, Map.of(), body);
  }

  /**
   * Builds, with branches beside some weights whose factors are random too.
   *
   * @param name seeds the random numbers
   * @param lengths of all symbols
   * @param ranks of the branches, by weight
   * @param body writes the graph
   */
  public ContractCase(
      String name,
      Map<String, Long> lengths,
      Map<String, Integer> ranks,
      Consumer<ContractCase> body) {
    this.lengths = lengths;
    this.random = new SplittableRandom(name.hashCode());
    this.weights = new RandomWeights(name.hashCode());
    this.builder = new GraphBuilder(name, new WeightUsage(weights, "the case", ranks));
    body.accept(this);
    this.graph = builder.build();
    for (Value input : graph.inputs()) {
      if (!inputs.containsKey(input.name())) {
        var data = given(input.name(), DType.F32, input.shape().dims().toArray()).floats();
        for (int i = 0; i < data.capacity(); i++) {
          data.put(i, (float) normal() / 4);
        }
      }
    }
  }

  /** Writes the graph. */
  public GraphBuilder g() {
    return builder;
  }

  /** The finished graph. */
  public Graph graph() {
    return graph;
  }

  /** The weights it asked for. */
  public RandomWeights weights() {
    return weights;
  }

  /** What a run is given. */
  public Map<String, Tensor> inputs() {
    return inputs;
  }

  /** The lengths of all symbols. */
  public Map<String, Long> lengths() {
    return lengths;
  }

  private Tensor given(String name, DType dtype, Object[] dims) {
    Tensor tensor = Tensor.zeros(dtype, Shape.of(dims).evaluate(lengths::get));
    inputs.put(name, tensor);
    return tensor;
  }

  /** Normal numbers. */
  public Value floats(String name, Object... dims) {
    var data = given(name, DType.F32, dims).floats();
    for (int i = 0; i < data.capacity(); i++) {
      data.put(i, (float) normal());
    }
    return builder.input(name, DType.F32, dims);
  }

  private double normal() {
    return Math.sqrt(-2 * Math.log(1 - random.nextDouble()))
        * Math.cos(2 * Math.PI * random.nextDouble());
  }

  /** Integers, I64, from 0 to below a limit. */
  public Value longs(String name, long limit, Object... dims) {
    var data = given(name, DType.I64, dims).longs();
    for (int i = 0; i < data.capacity(); i++) {
      data.put(i, random.nextLong(limit));
    }
    return builder.input(name, DType.I64, dims);
  }

  /** Truth values; the first of each row is true, so that no row is empty. */
  public Value mask(String name, Object... dims) {
    Tensor tensor = given(name, DType.BOOL, dims);
    var data = tensor.data();
    for (int i = 0; i < data.capacity(); i++) {
      data.put(i, (byte) (i % tensor.dim(-1) == 0 || random.nextBoolean() ? 1 : 0));
    }
    return builder.input(name, DType.BOOL, dims);
  }

  /** Normal numbers that lie transposed in memory: [a, b, c] comes as [a, c, b]. */
  public Value turned(String name, Object a, Object b, Object c) {
    return builder.transpose(floats(name, a, c, b), 0, 2, 1);
  }

  @Override
  public void close() {
    weights.close();
  }
}
