package dev.lmm.core.graph;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PeakMemoryTest {
  private static final long ROW = 1000L * Float.BYTES;

  private final GraphBuilder g =
      new GraphBuilder("g", new WeightUsage(WeightSource.anything(), "the test"));
  private final Value x = g.input("x", DType.F32, "batch", 1000);

  private long peak(Value out, long batch) {
    g.output("y", out);
    return PeakMemory.of(g.build(), symbol -> batch, Float.BYTES);
  }

  private Value linear(Value from, String name) {
    return g.linearNoBias(name, from, 1000);
  }

  @Test
  void aChainHoldsTheInputAndTwoResults() {
    // The input is the caller's and stays; of the results the one read and the one written live.
    Value last = linear(linear(linear(x, "a"), "b"), "c");
    assertThat(peak(last, 7)).isEqualTo(3 * 7 * ROW);
  }

  @Test
  void whatIsReadLaterStays() {
    Value a = linear(x, "a");
    Value c = linear(linear(a, "b"), "c");
    // x, a, and of b and c both while c is made; the sum then overwrites.
    assertThat(peak(g.add(a, c), 1)).isEqualTo(4 * ROW);
  }

  @Test
  void elementwiseOperationsOverwriteWhatNobodyReadsAfterwards() {
    assertThat(peak(g.unary(Op.RELU, g.unary(Op.EXP, linear(x, "a"))), 1)).isEqualTo(2 * ROW);
  }

  @Test
  void aReshapeIsTheSameMemory() {
    Value a = g.reshape(linear(x, "a"), Dim.symbol("batch"), 10, 100);
    assertThat(peak(a, 3)).isEqualTo(2 * 3 * ROW);
  }

  @Test
  void aConvolutionHoldsItsInputAndOutputTwice() {
    Value image = g.input("image", DType.F32, 1, 8, 10, 10);
    Value weight = g.weight("c.weight", 4, 8, 1, 1);
    Value out = g.conv(image, weight, null, 1, 0);
    // x is never used, but the caller's.
    assertThat(peak(out, 1)).isEqualTo(ROW + 2 * (800 + 400) * Float.BYTES);
  }

  @Test
  void halvesTakeHalf() {
    g.output("y", linear(x, "a"));
    assertThat(PeakMemory.of(g.build(), symbol -> 1, 2)).isEqualTo(ROW);
  }
}
