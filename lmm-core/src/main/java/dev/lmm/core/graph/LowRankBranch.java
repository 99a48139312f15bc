package dev.lmm.core.graph;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What low-rank adapters add to the layer of one weight: up(down(x)). The factors are inputs of the
 * graph. A weight that is read by ranges of its rows has one branch, of which each range takes its
 * own rows.
 */
final class LowRankBranch {
  private final GraphBuilder g;
  private final Value down;
  private final Value up;

  /** The first factor's product, by what it is of: ranges of one weight share it. */
  private final Map<Value, Value> products = new HashMap<>();

  /**
   * Declares the inputs.
   *
   * @param g below the weight's name
   * @param ref the weight
   * @param weight as the layer sees it
   * @param rank of the branch
   */
  LowRankBranch(GraphBuilder g, WeightRef ref, Value weight, int rank) {
    if (ref.transpose() || weight.dtype() != DType.F32) {
      throw new GraphException(
          "a branch beside " + ref + " is not supported: transposed, or not in single precision");
    }
    this.g = g;
    Object[] dims = weight.shape().dims().toArray();
    dims[0] = rank;
    this.down = g.input(WeightUsage.downInput(ref.name()), DType.F32, dims);
    this.up = g.input(WeightUsage.upInput(ref.name()), DType.F32, ref.stored()[0], rank);
  }

  /** Adds to the result of a linear layer. */
  Value addTo(Value y, Value x, WeightRef ref) {
    Value h = products.computeIfAbsent(x, v -> g.linear(v, down, null));
    Value rows =
        ref.isWhole()
            ? up
            : g.slice(up, 0, Dim.of(ref.rowStart()), Dim.of(ref.rowStart() + ref.rows()));
    return g.add(y, g.linear(h, rows, null));
  }

  /** Adds to the result of a convolution. */
  Value addTo(Value y, Value x, Attributes.Conv attributes) {
    if (attributes.groups() != 1) {
      throw new GraphException("a branch beside a convolution in groups is not supported: " + y);
    }
    Value h = g.conv(x, down, null, attributes);
    int spatial = x.rank() - 2;
    Object[] kernel = new Object[2 + spatial];
    java.util.Arrays.fill(kernel, 1);
    kernel[0] = up.dim(0);
    kernel[1] = up.dim(1);
    List<Integer> ones = Collections.nCopies(spatial, 1);
    List<Integer> none = Collections.nCopies(spatial, 0);
    Value once =
        g.conv(h, g.reshape(up, kernel), null, new Attributes.Conv(ones, ones, none, none, 1));
    return g.add(y, once);
  }
}
