package dev.lmm.core.engine.reference;

import dev.lmm.Cancellation;
import dev.lmm.EngineException;
import dev.lmm.core.engine.RunWatch;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Computes the nodes of a graph one by one. */
final class Interpreter {
  /** Sees each node with what went in and what came out. */
  interface Observer {
    void computed(Node node, List<@Nullable Elements> inputs, List<Elements> outputs);
  }

  private final Graph graph;
  private final Map<String, Long> symbols;
  private final Map<Value, Elements> known = new HashMap<>();
  private final Map<Value, QuantizedMatrix> quantized;
  private final @Nullable Observer observer;

  /**
   * Begins a run.
   *
   * @param graph a verified graph
   * @param symbols the length of each symbol
   * @param given weights, constants, inputs and states
   * @param quantized matrices of linear layers that are in few bits
   * @param observer sees each node, or null
   */
  Interpreter(
      Graph graph,
      Map<String, Long> symbols,
      Map<Value, Elements> given,
      Map<Value, QuantizedMatrix> quantized,
      @Nullable Observer observer) {
    this.graph = graph;
    this.symbols = symbols;
    this.known.putAll(given);
    this.quantized = quantized;
    this.observer = observer;
  }

  /**
   * Computes some values and what they need, nothing else.
   *
   * @param wanted values of the graph
   * @param cancellation looked at between nodes, or null
   * @return their elements
   */
  Map<Value, Elements> compute(Collection<Value> wanted, @Nullable Cancellation cancellation) {
    Set<Value> needed = needed(wanted);
    Map<Value, Node> lastUse = new HashMap<>();
    for (Node node : graph.nodes()) {
      node.inputs().forEach(input -> lastUse.put(input, node));
    }
    for (Node node : graph.nodes()) {
      if (cancellation != null) {
        cancellation.check();
      }
      RunWatch.checkInterrupt();
      if (node.outputs().stream().anyMatch(needed::contains)) {
        compute(node);
      }
      for (Value input : node.inputs()) {
        // Long graphs would otherwise hold every layer's values until the end.
        if (input != null && lastUse.get(input) == node && !wanted.contains(input)) {
          known.remove(input);
        }
      }
    }
    Map<Value, Elements> results = new HashMap<>();
    for (Value value : wanted) {
      results.put(value, element(value));
    }
    return results;
  }

  private Set<Value> needed(Collection<Value> wanted) {
    Set<Value> needed = new HashSet<>(wanted);
    for (int i = graph.nodes().size() - 1; i >= 0; i--) {
      Node node = graph.nodes().get(i);
      if (node.outputs().stream().anyMatch(needed::contains)) {
        needed.addAll(node.inputs());
      }
    }
    return needed;
  }

  private void compute(Node node) {
    QuantizedMatrix matrix = node.op() == Op.LINEAR ? quantized.get(node.input(1)) : null;
    List<@Nullable Elements> inputs = new ArrayList<>();
    for (Value input : node.inputs()) {
      boolean absent = input == null || (matrix != null && input == node.input(1));
      inputs.add(absent ? null : element(input));
    }
    Call call = new Call(node, inputs, symbols, matrix);
    List<Elements> outputs = Kernels.compute(call);
    for (int i = 0; i < outputs.size(); i++) {
      Value value = node.outputs().get(i);
      Elements found = outputs.get(i);
      int[] expected = call.evaluate(value.shape());
      if (found.dtype() != value.dtype() || !Arrays.equals(found.shape(), expected)) {
        throw call.fail(
            "gave "
                + found
                + ", the graph says "
                + value.type()
                + ", which is "
                + Arrays.toString(expected)
                + " with "
                + symbols);
      }
      known.put(value, found);
    }
    if (observer != null) {
      observer.computed(node, inputs, outputs);
    }
  }

  private Elements element(Value value) {
    Elements elements = known.get(value);
    if (elements == null) {
      throw new EngineException("graph " + graph.name() + ": " + value + " was not computed");
    }
    return elements;
  }
}
