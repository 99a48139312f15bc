package dev.lmm.diffusion.internal;

import dev.lmm.Cancellation;
import dev.lmm.EngineException;
import dev.lmm.Precision;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.graph.Graph;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One direction of an autoencoder. Autoencoders are known to overflow in 16 bits: one that does is
 * computed anew in single precision, and stays there. Not thread-safe.
 */
final class Coder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Coder.class);
  private static final String PART = "vae";

  /** What a program is compiled for. */
  private record Size(int height, int width) {}

  private final LoadContext context;
  private final WeightStore weights;
  private final String name;
  private final String input;
  private final BiFunction<Integer, Integer, Graph> graphs;
  private final KeptProgram<Size> programs;
  private boolean rescued;

  /**
   * Compiles nothing yet.
   *
   * @param name for messages
   * @param input name of the graphs' only one
   * @param graphs of a height and a width
   */
  Coder(
      LoadContext context,
      WeightStore weights,
      String name,
      String input,
      BiFunction<Integer, Integer, Graph> graphs) {
    this.context = context;
    this.weights = weights;
    this.name = name;
    this.input = input;
    this.graphs = graphs;
    this.programs = new KeptProgram<>(size -> compile(graphs.apply(size.height(), size.width())));
  }

  private Program compile(Graph graph) {
    return rescued
        ? context.compileInSinglePrecision(PART, graph, weights)
        : context.compile(PART, graph, weights);
  }

  private Precision precision() {
    return rescued ? Precision.FP32 : context.precision(PART);
  }

  /** Whether numbers are held in less than single precision somewhere. */
  boolean isNarrow() {
    return precision() != Precision.FP32;
  }

  /**
   * Runs.
   *
   * @param mayRescue whether it may change to single precision
   * @throws EngineException if its numbers are not finite, and it may not or it does not help
   */
  Planes run(Planes x, boolean mayRescue, @Nullable Cancellation cancellation) {
    Map<String, Tensor> inputs = Map.of(input, x.tensor());
    Planes made = compute(x, inputs, cancellation);
    if (!Overflow.in(made.floats())) {
      return made;
    }
    // Not two copies of the weights while the layer is looked for.
    programs.close();
    String told =
        Overflow.told(
            name, precision(), graphs.apply(x.height(), x.width()), inputs, this::compile);
    if (!isNarrow()) {
      throw new EngineException(context.info().id() + ": " + told);
    }
    if (!mayRescue) {
      throw new EngineException(
          context.info().id()
              + ": "
              + told
              + ". Compute it in single precision: precision(\"vae\", Precision.FP32) when the"
              + " model is loaded, or vaeRescue(true)");
    }
    rescue(told);
    return run(x, true, cancellation);
  }

  private Planes compute(
      Planes x, Map<String, Tensor> inputs, @Nullable Cancellation cancellation) {
    Map<String, Tensor> outputs =
        programs
            .of(new Size(x.height(), x.width()))
            .run(inputs, Set.of(), RunOptions.cancelledBy(cancellation));
    return Planes.of(outputs.values().iterator().next());
  }

  /** Changes to single precision. */
  void rescue(String reason) {
    LOG.warn("{}. It is computed anew in single precision, from now on too", reason);
    programs.close();
    rescued = true;
  }

  @Override
  public void close() {
    programs.close();
  }
}
