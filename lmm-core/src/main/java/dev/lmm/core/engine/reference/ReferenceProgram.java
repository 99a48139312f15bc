package dev.lmm.core.engine.reference;

import dev.lmm.Cancellation;
import dev.lmm.Check;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.InputChecks;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.ProgramState;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.RunGate;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A graph with its weights read. */
final class ReferenceProgram implements Program {
  private final Graph graph;
  private final InputChecks checks;
  private final RunGate gate;
  private Map<Value, Elements> fixed;
  private Map<Value, QuantizedMatrix> quantized;

  ReferenceProgram(Graph graph, WeightStore weights) {
    this.graph = graph;
    this.checks = new InputChecks(graph);
    this.gate = new RunGate("graph " + graph.name());
    this.fixed = new HashMap<>();
    this.quantized = new HashMap<>();
    Set<Value> whole = new HashSet<>(graph.outputs().values());
    for (Node node : graph.nodes()) {
      for (int i = 0; i < node.inputs().size(); i++) {
        Value input = node.inputs().get(i);
        if (input == null || input.kind() != Value.Kind.WEIGHT) {
          continue;
        }
        QuantizedTensor codes =
            node.op() == Op.LINEAR && i == 1 ? weights.quantized(input.weight()) : null;
        if (codes == null) {
          whole.add(input);
        } else if (!quantized.containsKey(input)) {
          quantized.put(input, QuantizedMatrix.read(codes, weights));
        }
      }
    }
    for (Value weight : graph.weights()) {
      if (whole.contains(weight)) {
        fixed.put(weight, WeightReader.read(weight, weights));
      }
    }
    for (Value constant : graph.constants()) {
      fixed.put(
          constant,
          Elements.of(constant.dtype(), Layout.ints(constant.shape().fixed()), constant.data()));
    }
  }

  @Override
  public Graph graph() {
    return graph;
  }

  @Override
  public Map<String, Tensor> run(
      Map<String, Tensor> inputs, Set<String> outputs, RunOptions options) {
    return run(inputs, outputs, options, null);
  }

  Map<String, Tensor> run(
      Map<String, Tensor> inputs,
      Set<String> outputs,
      RunOptions options,
      Interpreter.@Nullable Observer observer) {
    RunGate.Run run = gate.enterRun();
    try {
      Cancellation cancellation = Check.notNull(options, "options").cancellation();
      ReferenceState state = state(options.state());
      Map<String, Long> symbols = checks.bind(inputs, state == null ? null : state.symbols());
      Map<String, Value> wanted = checks.outputs(outputs);
      Map<Value, Elements> given = new HashMap<>(fixed);
      for (Value input : graph.inputs()) {
        given.put(input, Elements.of(Check.notNull(inputs.get(input.name()), input.name())));
      }
      List<Value> computed = new ArrayList<>(wanted.values());
      if (state != null) {
        given.putAll(state.contents());
        computed.addAll(graph.states().values());
      }
      Map<Value, Elements> results =
          new Interpreter(graph, symbols, given, quantized, observer)
              .compute(computed, cancellation);
      if (state != null) {
        state.advance(results);
      }
      Map<String, Tensor> answers = new LinkedHashMap<>();
      wanted.forEach(
          (name, value) -> answers.put(name, Check.notNull(results.get(value), name).tensor()));
      return Collections.unmodifiableMap(answers);
    } finally {
      gate.leave(run);
    }
  }

  private @Nullable ReferenceState state(@Nullable ProgramState state) {
    if (graph.states().isEmpty()) {
      Check.that(state == null, "graph " + graph.name() + " keeps no state; one was given");
      return null;
    }
    if (!(state instanceof ReferenceState own) || !own.belongsTo(this)) {
      throw new InvalidRequestException(
          "graph "
              + graph.name()
              + " keeps a state; expected one made by newState of this program, found "
              + (state == null ? "none" : "another"));
    }
    own.requireOpen();
    return own;
  }

  @Override
  public ProgramState newState(Map<String, Long> symbols) {
    gate.enter();
    try {
      return new ReferenceState(this, checks, symbols);
    } finally {
      gate.leave();
    }
  }

  @Override
  public void close() {
    if (gate.close()) {
      fixed = Map.of();
      quantized = Map.of();
    }
  }
}
