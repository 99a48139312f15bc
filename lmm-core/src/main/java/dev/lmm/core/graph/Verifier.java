package dev.lmm.core.graph;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Proves that a graph obeys every rule, independently of how it was made. Run over every graph
 * before an engine sees it.
 */
public final class Verifier {
  private Verifier() {}

  /**
   * Checks a graph: unique names, every value defined before it is used, the rules and types of
   * every operator, symbols bound by an input, states and outputs of matching types.
   *
   * @param graph the graph
   * @return the graph
   * @throws GraphException naming the first node or value that breaks a rule
   */
  public static Graph verify(Graph graph) {
    Set<Value> defined = new HashSet<>();
    Set<String> names = new HashSet<>();
    List<Value> given = new ArrayList<>(graph.inputs());
    given.addAll(graph.states().keySet());
    given.addAll(graph.weights());
    given.addAll(graph.constants());
    for (Value value : given) {
      define(graph, value, defined, names);
      if (value.kind() == Value.Kind.WEIGHT || value.kind() == Value.Kind.CONSTANT) {
        value.shape().fixed();
      }
    }
    for (Value input : graph.inputs()) {
      require(
          input.kind() == Value.Kind.INPUT, graph, input + " is listed as an input but is none");
    }
    for (Node node : graph.nodes()) {
      for (Value input : node.inputs()) {
        require(
            input == null || defined.contains(input),
            graph,
            node.name() + " uses " + input + " before it is defined");
      }
      List<TensorType> types =
          OpRules.infer(node.name(), node.op(), node.inputs(), node.attributes());
      require(
          types.size() == node.outputs().size(),
          graph,
          node.name() + " has " + node.outputs().size() + " results, must have " + types.size());
      for (int i = 0; i < types.size(); i++) {
        Value output = node.outputs().get(i);
        require(
            output.type().equals(types.get(i)),
            graph,
            node.name() + " gives " + types.get(i) + " but says " + output.type());
        define(graph, output, defined, names);
        symbolsBound(graph, output);
      }
    }
    graph
        .states()
        .forEach(
            (state, next) -> {
              require(
                  defined.contains(next) && next.type().equals(state.type()),
                  graph,
                  "state " + state + " becomes " + next + ", which has another type");
              symbolsBound(graph, state);
            });
    graph
        .outputs()
        .forEach(
            (name, value) ->
                require(
                    defined.contains(value),
                    graph,
                    "output " + name + " is " + value + ", which nothing defines"));
    require(!graph.outputs().isEmpty(), graph, "has no output");
    return graph;
  }

  private static void define(Graph graph, Value value, Set<Value> defined, Set<String> names) {
    require(defined.add(value), graph, value + " is defined twice");
    require(names.add(value.name()), graph, "the name " + value.name() + " is used twice");
  }

  private static void symbolsBound(Graph graph, Value value) {
    value
        .shape()
        .evaluate(
            symbol -> {
              require(
                  graph.symbols().containsKey(symbol),
                  graph,
                  value + " depends on " + symbol + ", which is no axis of an input");
              return 64;
            });
  }

  private static void require(boolean holds, Graph graph, String message) {
    if (!holds) {
      throw new GraphException("graph " + graph.name() + ": " + message);
    }
  }
}
