package dev.lmm.core.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VerifierTest {
  private static final Attributes NONE = new Attributes.None();
  private final Value x = value("x", Value.Kind.INPUT, "b", 2);

  private static Value value(String name, Value.Kind kind, Object... dims) {
    return new Value(name, kind, new TensorType(DType.F32, Shape.of(dims)), null, null);
  }

  private static Node negate(Value from, Value to) {
    return new Node("/neg", Op.NEG, List.of(from), NONE, List.of(to));
  }

  private static void refuses(
      String message, List<Value> inputs, Map<Value, Value> states, List<Node> nodes, Value y) {
    Graph graph =
        new Graph(
            "g",
            inputs,
            List.of(),
            List.of(),
            states,
            nodes,
            y == null ? Map.of() : Map.of("y", y));
    assertThatThrownBy(() -> Verifier.verify(graph))
        .isInstanceOf(GraphException.class)
        .hasMessageStartingWith("graph g: ")
        .hasMessageContaining(message);
  }

  @Test
  void refusesWhatIsNoGraph() {
    Value y = value("y", Value.Kind.RESULT, "b", 2);
    List<Node> one = List.of(negate(x, y));
    refuses("/neg uses x: F32[b, 2] before it is defined", List.of(), Map.of(), one, y);
    refuses("has no output", List.of(x), Map.of(), one, null);
    refuses("output y is y: F32[b, 2], which nothing defines", List.of(x), Map.of(), List.of(), y);
    refuses("is defined twice", List.of(x, x), Map.of(), one, y);
    refuses(
        "the name x is used twice", List.of(x, value("x", Value.Kind.INPUT, 1)), Map.of(), one, y);
    refuses(
        "w: F32[2] is listed as an input but is none",
        List.of(x, value("w", Value.Kind.WEIGHT, 2)),
        Map.of(),
        one,
        y);
    Value wrong = value("y", Value.Kind.RESULT, "b", 3);
    refuses(
        "/neg gives F32[b, 2] but says F32[b, 3]",
        List.of(x),
        Map.of(),
        List.of(negate(x, wrong)),
        wrong);
    Node two = new Node("/two", Op.NEG, List.of(x), NONE, List.of(y, wrong));
    refuses("/two has 2 results, must have 1", List.of(x), Map.of(), List.of(two), y);
    Value state = value("kept", Value.Kind.STATE, "b", 3);
    refuses("becomes y: F32[b, 2], which has another type", List.of(x), Map.of(state, y), one, y);
  }

  @Test
  void refusesSymbolsThatNoInputGives() {
    Value half = value("x", Value.Kind.INPUT, Dim.symbol("n").times(2));
    Value y = value("y", Value.Kind.RESULT, Dim.symbol("n").times(2));
    refuses(
        "depends on n, which is no axis of an input",
        List.of(half),
        Map.of(),
        List.of(negate(half, y)),
        y);
  }

  @Test
  void acceptsAGraph() {
    Value y = value("y", Value.Kind.RESULT, "b", 2);
    Graph graph =
        new Graph(
            "g", List.of(x), List.of(), List.of(), Map.of(), List.of(negate(x, y)), Map.of("y", y));
    assertThat(Verifier.verify(graph)).isSameAs(graph);
    assertThat(graph.symbols().get("b").axis()).isZero();
  }
}
