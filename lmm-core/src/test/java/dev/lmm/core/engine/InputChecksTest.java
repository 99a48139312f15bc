package dev.lmm.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.InvalidRequestException;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightSource;
import dev.lmm.core.graph.WeightUsage;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class InputChecksTest {
  private static Graph graph() {
    GraphBuilder g = new GraphBuilder("g", new WeightUsage(WeightSource.anything(), "test"));
    Value ids = g.input("ids", DType.I64, "batch", "s");
    Value mask = g.input("mask", DType.I64, "batch", "s");
    Value kept = g.state("kept", DType.I64, "batch", "capacity");
    g.output("sum", g.add(ids, mask));
    g.output("kept", kept);
    return g.build();
  }

  private final InputChecks checks = new InputChecks(graph());
  private final Map<String, Long> state = Map.of("batch", 2L, "capacity", 7L);

  private static Tensor longs(long... shape) {
    return Tensor.zeros(DType.I64, shape);
  }

  @Test
  void bindsSymbols() {
    assertThat(checks.bind(Map.of("ids", longs(2, 3), "mask", longs(2, 3)), state))
        .isEqualTo(Map.of("batch", 2L, "s", 3L, "capacity", 7L));
  }

  @Test
  void namesWhatIsWrong() {
    refuses(
        Map.of("ids", longs(2, 3)),
        "g: input mask: expected I64[batch, s], is missing; the run was given [ids]");
    refuses(
        Map.of("ids", longs(2, 3), "mask", longs(2, 4)),
        "g: input mask: expected I64[batch, s], found I64[2, 4]; with {batch=2, s=3, capacity=7}"
            + " that is [2, 3]");
    refuses(
        Map.of("ids", longs(2, 3), "mask", longs(6)),
        "g: input mask: expected I64[batch, s], found I64[6]");
    refuses(
        Map.of("ids", longs(2, 3), "mask", Tensor.zeros(DType.I32, 2, 3)),
        "g: input mask: expected I64[batch, s], found I32[2, 3]");
    refuses(
        Map.of("ids", longs(2, 3), "mask", longs(2, 3), "more", longs(1)),
        "g has no input more; expected [ids, mask]");
    refuses(
        Map.of("ids", longs(3, 3), "mask", longs(3, 3)),
        "g: input ids has batch = 3; expected 2, which the state was made with");
    assertThatThrownBy(() -> checks.bind(Map.of("ids", longs(2, 3), "mask", longs(2, 3)), null))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage(
            "g: the length of capacity is that of axis 1 of the state kept; expected a state made"
                + " with it, found {}");
    assertThatThrownBy(() -> checks.outputs(Set.of("other")))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("g has no output other; expected [sum, kept]");
    Value kept = graph().states().keySet().iterator().next();
    assertThatThrownBy(() -> checks.stateShape(kept, Map.of("batch", 1L)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("needs the length of capacity, at least 0; found {batch=1}");
  }

  private void refuses(Map<String, Tensor> inputs, String message) {
    assertThatThrownBy(() -> checks.bind(inputs, state))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage(message);
  }

  @Test
  void picksOutputs() {
    assertThat(checks.outputs(Set.of("kept")).keySet()).containsExactly("kept");
    assertThat(checks.outputs(Set.of()).keySet()).containsExactly("sum", "kept");
  }
}
