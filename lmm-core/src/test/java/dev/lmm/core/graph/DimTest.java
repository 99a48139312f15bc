package dev.lmm.core.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class DimTest {
  private final Dim h = Dim.symbol("h");
  private final Dim w = Dim.symbol("w");

  @Test
  void equalPolynomialsAreEqual() {
    assertThat(h.plus(w).times(h.minus(w))).isEqualTo(h.times(h).minus(w.times(w)));
    assertThat(h.plus(1).times(2).minus(Dim.of(2))).isEqualTo(h.times(2));
    assertThat(h.minus(h)).isEqualTo(Dim.of(0));
    assertThat(h.times(w).hashCode()).isEqualTo(w.times(h).hashCode());
    assertThat(h).isNotEqualTo(w);
  }

  @Test
  void divides() {
    assertThat(h.times(w).times(6).dividedBy(h.times(2))).isEqualTo(w.times(3));
    assertThat(h.times(4).floorDiv(2)).isEqualTo(h.times(2));
    assertThat(h.plus(1).floorDiv(2)).isEqualTo(h.plus(1).floorDiv(2));
    assertThat(Dim.of(-3).floorDiv(2)).isEqualTo(Dim.of(-2));
    assertThatThrownBy(() -> h.plus(1).dividedBy(Dim.of(2)))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("h + 1 is not a multiple of 2");
    assertThatThrownBy(() -> h.dividedBy(h.plus(w)))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("cannot be divided by");
  }

  @Test
  void evaluates() {
    Dim dim = h.times(w).times(2).plus(h.minus(Dim.of(1)).floorDiv(3)).plus(5);
    Map<String, Long> lengths = Map.of("h", 8L, "w", 3L);
    assertThat(dim.evaluate(lengths::get)).isEqualTo(2 * 8 * 3 + 2 + 5);
    assertThatThrownBy(() -> h.times(h).evaluate(s -> Long.MAX_VALUE))
        .isInstanceOf(ArithmeticException.class);
  }

  @Test
  void readsAsWritten() {
    assertThat(h.times(2).plus(1)).hasToString("2*h + 1");
    assertThat(h.times(-1).plus(-3)).hasToString("-h - 3");
    assertThat(h.plus(1).floorDiv(2)).hasToString("floor((h + 1)/2)");
    assertThat(Dim.of(0)).hasToString("0");
    assertThat(Dim.of(7).fixed()).hasValue(7);
    assertThat(h.isFixed()).isFalse();
  }
}
