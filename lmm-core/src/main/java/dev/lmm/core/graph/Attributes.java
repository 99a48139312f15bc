package dev.lmm.core.graph;

import java.util.List;

/** What an operator is told besides its inputs; one record for each kind. Immutable. */
public sealed interface Attributes {
  /** Nothing to tell. */
  record None() implements Attributes {}

  /**
   * One axis.
   *
   * @param axis counted from the front
   */
  record Axis(int axis) implements Attributes {}

  /**
   * Limits of {@link Op#CLAMP}.
   *
   * @param min lower limit, possibly infinite
   * @param max upper limit, possibly infinite
   */
  record Clamp(double min, double max) implements Attributes {}

  /**
   * The target of {@link Op#CAST}.
   *
   * @param dtype the new element type
   */
  record Cast(DType dtype) implements Attributes {}

  /**
   * How {@link Op#MATMUL} reads its inputs.
   *
   * @param transposeA whether a is [..., k, m]
   * @param transposeB whether b is [..., n, k]
   */
  record MatMul(boolean transposeA, boolean transposeB) implements Attributes {}

  /**
   * Convolution. Every list has one entry for each spatial axis.
   *
   * @param strides at least 1
   * @param dilations at least 1
   * @param padBefore zeros before, may differ from {@code padAfter}
   * @param padAfter zeros after
   * @param groups divides both channel counts
   */
  record Conv(
      List<Integer> strides,
      List<Integer> dilations,
      List<Integer> padBefore,
      List<Integer> padAfter,
      int groups)
      implements Attributes {}

  /**
   * Transposed convolution. Every list has one entry for each spatial axis.
   *
   * @param strides at least 1
   * @param padding cut from both ends of the result
   * @param outputPadding added to the end of the result
   * @param groups divides both channel counts
   */
  record ConvTranspose(
      List<Integer> strides, List<Integer> padding, List<Integer> outputPadding, int groups)
      implements Attributes {}

  /**
   * Layer and RMS normalisation.
   *
   * @param epsilon added to the variance or mean square
   */
  record Norm(double epsilon) implements Attributes {}

  /**
   * Group normalisation.
   *
   * @param groups divides the channels
   * @param epsilon added to the variance
   */
  record GroupNorm(int groups, double epsilon) implements Attributes {}

  /**
   * Attention.
   *
   * @param heads number of query heads
   * @param kvHeads number of key and value heads; divides {@code heads}
   * @param scale factor of the scores
   * @param causal whether query i attends to keys up to i + keys - queries only
   * @param window if above 0, a query attends to this many latest keys only, counted from its own
   *     position (needs causal)
   * @param probabilities whether the probabilities are a second result
   */
  record Attention(
      int heads, int kvHeads, double scale, boolean causal, int window, boolean probabilities)
      implements Attributes {}

  /**
   * Causal attention over kept keys and values.
   *
   * @param heads number of query heads
   * @param kvHeads number of key and value heads; divides {@code heads}
   * @param scale factor of the scores
   * @param window if above 0, a query attends to this many latest keys only, its own counted
   */
  record CachedAttention(int heads, int kvHeads, double scale, int window) implements Attributes {}

  /**
   * Rotary position embedding.
   *
   * @param heads number of heads packed in the last axis
   * @param interleaved whether pairs are neighbours (2i, 2i+1); otherwise halves (i, i + r/2)
   */
  record Rotary(int heads, boolean interleaved) implements Attributes {}

  /**
   * The target of {@link Op#RESHAPE}.
   *
   * @param shape as many elements as the input
   */
  record Reshape(Shape shape) implements Attributes {}

  /**
   * The target of {@link Op#EXPAND}.
   *
   * @param shape what the input broadcasts to
   */
  record Expand(Shape shape) implements Attributes {}

  /**
   * The order of {@link Op#TRANSPOSE}.
   *
   * @param permutation entry i is the input axis that becomes axis i
   */
  record Transpose(List<Integer> permutation) implements Attributes {}

  /**
   * A range of one axis.
   *
   * @param axis counted from the front
   * @param start first index
   * @param end index after the last
   * @param step at least 1
   */
  record Slice(int axis, Dim start, Dim end, int step) implements Attributes {}

  /** What stands at grown edges. */
  enum PadMode {
    /** A constant. */
    CONSTANT,
    /** Mirrored without repeating the edge. */
    REFLECT,
    /** The edge repeated. */
    EDGE
  }

  /**
   * Padding. Both lists have one entry for each axis.
   *
   * @param before entries before, at least 0
   * @param after entries after, at least 0
   * @param mode what stands there
   * @param value the constant, for {@link PadMode#CONSTANT}
   */
  record Pad(List<Integer> before, List<Integer> after, PadMode mode, double value)
      implements Attributes {}

  /** How {@link Op#RESIZE} finds values between pixels. */
  enum ResizeMode {
    /** The pixel at floor(i * in / out). */
    NEAREST,
    /** Linear, pixel centres at halves. */
    LINEAR,
    /** Cubic with a = -0.75, pixel centres at halves. */
    CUBIC
  }

  /**
   * Resizing of the spatial axes.
   *
   * @param size the new spatial lengths, numbers or lengths of other values
   * @param mode how to interpolate
   * @param alignCorners whether corner pixels map to corner pixels (LINEAR and CUBIC only)
   * @param antialias whether shrinking widens the filter (LINEAR and CUBIC only; cubic then has a =
   *     -0.5)
   */
  record Resize(Shape size, ResizeMode mode, boolean alignCorners, boolean antialias)
      implements Attributes {}

  /**
   * Reductions.
   *
   * @param axes counted from the front, rising
   * @param keepDims whether reduced axes stay with length 1
   */
  record Reduce(List<Integer> axes, boolean keepDims) implements Attributes {}

  /**
   * Index of the largest.
   *
   * @param axis counted from the front
   * @param keepDims whether the axis stays with length 1
   */
  record ArgMax(int axis, boolean keepDims) implements Attributes {}

  /**
   * The largest.
   *
   * @param axis counted from the front
   * @param k how many, at most the axis' length
   */
  record TopK(int axis, int k) implements Attributes {}

  /** The activation of {@link Op#EXPERTS}. */
  enum Activation {
    /** {@link Op#SILU}. */
    SILU,
    /** {@link Op#GELU}. */
    GELU
  }

  /**
   * Mixture of experts.
   *
   * @param activation of the gate
   */
  record Experts(Activation activation) implements Attributes {}
}
