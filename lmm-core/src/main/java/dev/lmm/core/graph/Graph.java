package dev.lmm.core.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A whole computation: inputs, states, weights and constants, nodes in an order in which they can
 * run, and named outputs. Made by {@link GraphBuilder}, verified by {@link Verifier}. Immutable.
 */
public final class Graph {
  private final String name;
  private final List<Value> inputs;
  private final List<Value> weights;
  private final List<Value> constants;
  private final Map<Value, Value> states;
  private final List<Node> nodes;
  private final Map<String, Value> outputs;
  private final Map<String, SymbolSource> symbols;

  /**
   * The axis a symbol is the length of.
   *
   * @param input a graph input
   * @param axis the axis
   */
  public record SymbolSource(Value input, int axis) {}

  Graph(
      String name,
      List<Value> inputs,
      List<Value> weights,
      List<Value> constants,
      Map<Value, Value> states,
      List<Node> nodes,
      Map<String, Value> outputs) {
    this.name = name;
    this.inputs = List.copyOf(inputs);
    this.weights = List.copyOf(weights);
    this.constants = List.copyOf(constants);
    this.states = Collections.unmodifiableMap(new LinkedHashMap<>(states));
    this.nodes = List.copyOf(nodes);
    this.outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
    Map<String, SymbolSource> found = new LinkedHashMap<>();
    List<Value> given = new ArrayList<>(inputs);
    given.addAll(states.keySet());
    for (Value input : given) {
      for (int axis = 0; axis < input.rank(); axis++) {
        String symbol = soleSymbol(input.dim(axis));
        if (symbol != null) {
          found.putIfAbsent(symbol, new SymbolSource(input, axis));
        }
      }
    }
    this.symbols = Collections.unmodifiableMap(found);
  }

  private static @Nullable String soleSymbol(Dim dim) {
    List<Dim.Term> terms = dim.terms();
    if (terms.size() == 1
        && terms.get(0).coefficient() == 1
        && terms.get(0).atoms().size() == 1
        && terms.get(0).atoms().get(0) instanceof Dim.Symbol symbol) {
      return symbol.name();
    }
    return null;
  }

  /**
   * The name of the graph, for messages and files.
   *
   * @return for instance {@code clip.vision}
   */
  public String name() {
    return name;
  }

  /**
   * What a run must be given.
   *
   * @return the inputs
   */
  public List<Value> inputs() {
    return inputs;
  }

  /**
   * What is read from the checkpoint. The same range asked for twice is one value.
   *
   * @return the weights
   */
  public List<Value> weights() {
    return weights;
  }

  /**
   * Small data made with the graph.
   *
   * @return the constants
   */
  public List<Value> constants() {
    return constants;
  }

  /**
   * What is kept between runs: each state as a run finds it, and the value it has afterwards
   * (itself, if the graph only reads it).
   *
   * @return states in the order they were declared
   */
  public Map<Value, Value> states() {
    return states;
  }

  /**
   * The operations, each after those it depends on.
   *
   * @return the nodes
   */
  public List<Node> nodes() {
    return nodes;
  }

  /**
   * The results a run can be asked for.
   *
   * @return outputs by name, in order
   */
  public Map<String, Value> outputs() {
    return outputs;
  }

  /**
   * Where each symbol's length is found.
   *
   * @return the first axis, of an input or a state, that is exactly this symbol
   */
  public Map<String, SymbolSource> symbols() {
    return symbols;
  }

  /**
   * Whether this graph can be asked for its value.
   *
   * @param name of an output
   * @return the value
   * @throws GraphException if there is no such output
   */
  public Value output(String name) {
    Value value = outputs.get(name);
    if (value == null) {
      throw new GraphException(
          "graph " + this.name + " has no output " + name + "; it has " + outputs.keySet());
    }
    return value;
  }

  /**
   * The part of this graph that a result needs: a graph of the same inputs with that one output,
   * for looking at what lies within.
   *
   * @param result of a node of this graph
   * @return a graph without states whose only output is named {@code result}
   * @throws GraphException if this graph keeps states
   */
  public Graph upTo(Value result) {
    if (!states.isEmpty()) {
      throw new GraphException("graph " + name + " keeps states, which a part of it cannot");
    }
    Set<Value> needed = new HashSet<>(Set.of(result));
    List<Node> kept = new ArrayList<>();
    for (int i = nodes.size() - 1; i >= 0; i--) {
      Node node = nodes.get(i);
      if (node.outputs().stream().anyMatch(needed::contains)) {
        kept.add(0, node);
        node.inputs().stream().filter(Objects::nonNull).forEach(needed::add);
      }
    }
    return new Graph(
        name,
        inputs,
        weights.stream().filter(needed::contains).toList(),
        constants.stream().filter(needed::contains).toList(),
        Map.of(),
        kept,
        Map.of("result", result));
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("graph " + name + "\n");
    inputs.forEach(v -> text.append("  input ").append(v).append('\n'));
    states.forEach((v, next) -> text.append("  state ").append(v).append('\n'));
    weights.forEach(
        v -> text.append("  weight ").append(v).append(" = ").append(v.weight()).append('\n'));
    nodes.forEach(n -> text.append("  ").append(n).append('\n'));
    outputs.forEach(
        (k, v) -> text.append("  output ").append(k).append(" = ").append(v).append('\n'));
    return text.toString();
  }
}
