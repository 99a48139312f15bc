package dev.lmm.pytorch.internal;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import dev.lmm.Cancellation;
import dev.lmm.EngineException;
import dev.lmm.InvalidRequestException;
import dev.lmm.Precision;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.InputChecks;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.ProgramState;
import dev.lmm.core.engine.RunGate;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.RunWatch;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.engine.reference.ReferenceEngine;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Value;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A graph as TorchScript, one script for each set of outputs that was asked for. Inputs are read
 * where they lie and results written where the caller finds them.
 */
public final class TorchProgram implements Program {
  private static final Pattern LINE = Pattern.compile("line (\\d+), in forward");

  private final Graph graph;
  private final WeightStore store;
  private final TorchRuntime runtime;
  private final LinearWeights forms;
  private final Weights weights;
  private final RunGate gate;
  private final InputChecks checks;
  private final Map<List<String>, Script> scripts = new ConcurrentHashMap<>();

  /** A loaded script. */
  private record Script(PtSymbolBlock module, Map<Integer, Node> nodeOfLine) {}

  private TorchProgram(Graph graph, WeightStore store, TorchRuntime runtime, Precision precision) {
    this.graph = graph;
    this.store = store;
    this.runtime = runtime;
    this.forms = new LinearWeights(graph, store, precision);
    this.weights = new Weights(runtime, graph, store, forms);
    this.gate = new RunGate("graph " + graph.name());
    this.checks = new InputChecks(graph);
  }

  /**
   * Compiles.
   *
   * @param graph a verified graph
   * @param weights the checkpoint
   * @param options how
   * @return the program
   */
  public static TorchProgram compile(Graph graph, WeightStore weights, CompileOptions options) {
    TorchProgram program =
        new TorchProgram(graph, weights, TorchRuntime.get(options.threads()), options.precision());
    try {
      // What cannot be written fails now, not at the first run.
      program.script(graph.outputs());
      return program;
    } catch (RuntimeException e) {
      program.close();
      throw e;
    }
  }

  private Script script(Map<String, Value> outputs) {
    return scripts.computeIfAbsent(
        List.copyOf(outputs.keySet()),
        names -> {
          Lowering.Result result = Lowering.lower(graph, forms, outputs.values());
          try {
            return new Script(runtime.module(result.code()), result.nodeOfLine());
          } catch (ai.djl.engine.EngineException e) {
            throw new EngineException(
                "graph " + graph.name() + " does not compile: " + e.getMessage(), e);
          }
        });
  }

  @Override
  public Graph graph() {
    return graph;
  }

  @Override
  public Map<String, Tensor> run(
      Map<String, Tensor> inputs, Set<String> outputs, RunOptions options) {
    RunGate.Run run = gate.enterRun();
    try {
      return runOpen(inputs, outputs, options);
    } finally {
      gate.leave(run);
    }
  }

  private Map<String, Tensor> runOpen(
      Map<String, Tensor> inputs, Set<String> outputs, RunOptions options) {
    Cancellation cancellation = options.cancellation();
    if (cancellation != null) {
      cancellation.check();
    }
    RunWatch.checkInterrupt();
    TorchState state = state(options.state());
    Map<String, Value> wanted = checks.outputs(outputs);
    Map<String, Long> symbols = checks.bind(inputs, state == null ? null : state.symbols());
    if (symbols.containsValue(0L)) {
      return runOfLengthZero(inputs, wanted.keySet(), options);
    }
    Map<String, Tensor> results = new LinkedHashMap<>();
    List<PtNDArray> io = new ArrayList<>();
    try {
      for (Value input : graph.inputs()) {
        io.add(Tensors.wrap(runtime, inputs.get(input.name())));
      }
      wanted.forEach(
          (name, value) -> {
            Tensor tensor = Tensor.zeros(value.dtype(), value.shape().evaluate(symbols::get));
            results.put(name, tensor);
            io.add(Tensors.wrap(runtime, tensor));
          });
      execute(script(wanted), io.toArray(PtNDArray[]::new), state, cancellation);
      return results;
    } finally {
      io.forEach(PtNDArray::close);
    }
  }

  private void execute(
      Script script,
      PtNDArray[] io,
      @Nullable TorchState state,
      @Nullable Cancellation cancellation) {
    ByteBuffer flag = ByteBuffer.allocateDirect(1);
    try (PtNDArray stop = Tensors.wrap(runtime, flag, DType.BOOL);
        IValue stopValue = IValue.from(stop);
        IValue list = IValue.listFrom(io);
        IValue none = state == null ? IValue.listFrom(new PtNDArray[0]) : null;
        RunWatch watch = new RunWatch(cancellation, () -> flag.put(0, (byte) 1))) {
      try {
        IValue states = state == null ? none : state.list();
        List<IValue> arguments = new ArrayList<>(List.of(list, states, weights.list()));
        arguments.addAll(weights.fewBits().lists());
        arguments.add(stopValue);
        runtime.call(script.module(), "forward", arguments.toArray(IValue[]::new)).close();
      } catch (ai.djl.engine.EngineException e) {
        watch.check();
        throw failed(script, e);
      }
    }
  }

  private EngineException failed(Script script, ai.djl.engine.EngineException e) {
    String message = String.valueOf(e.getMessage());
    Matcher line = LINE.matcher(message);
    Node node = line.find() ? script.nodeOfLine().get(Integer.valueOf(line.group(1))) : null;
    int last = message.stripTrailing().lastIndexOf('\n');
    String reason = message.substring(last + 1).strip();
    return new EngineException(
        "graph "
            + graph.name()
            + " failed"
            + (node == null ? "" : " in " + node.name() + " (" + node.op() + ")")
            + ": "
            + reason,
        e);
  }

  /** Some kernels refuse lengths of 0. What is left to compute is little: the interpreter does. */
  private Map<String, Tensor> runOfLengthZero(
      Map<String, Tensor> inputs, Set<String> outputs, RunOptions options) {
    if (options.state() != null) {
      throw new InvalidRequestException(
          "graph "
              + graph.name()
              + ": an input has a length of 0; expected at least 1 where a state is kept");
    }
    try (Program interpreter =
        new ReferenceEngine().compile(graph, store, CompileOptions.DEFAULT)) {
      return interpreter.run(inputs, outputs, options);
    }
  }

  private @Nullable TorchState state(@Nullable ProgramState state) {
    if (graph.states().isEmpty()) {
      if (state != null) {
        throw new InvalidRequestException(
            "graph " + graph.name() + " keeps no state; one was given");
      }
      return null;
    }
    if (!(state instanceof TorchState own) || !own.belongsTo(this)) {
      throw new InvalidRequestException(
          "graph "
              + graph.name()
              + " keeps a state; expected one made by newState of this program, found "
              + (state == null ? "none" : "another"));
    }
    own.open();
    return own;
  }

  @Override
  public ProgramState newState(Map<String, Long> symbols) {
    gate.enter();
    try {
      return new TorchState(this, runtime, symbols);
    } finally {
      gate.leave();
    }
  }

  @Override
  public void close() {
    if (gate.close()) {
      scripts.values().forEach(script -> script.module().close());
      scripts.clear();
      weights.close();
    }
  }
}
