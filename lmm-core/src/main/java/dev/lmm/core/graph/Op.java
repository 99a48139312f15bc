package dev.lmm.core.graph;

/**
 * The operators. They are semantic: an engine picks the fused kernel. Inputs are listed in order,
 * optional ones in brackets; an absent optional input is null in {@link Node#inputs()}. {@link
 * OpRules} holds the executable rules of each: number of inputs, types, and the type of the result.
 */
public enum Op {
  // Elementwise on two values, broadcast as numpy does.
  /** a + b. */
  ADD,
  /** a - b. */
  SUB,
  /** a * b. */
  MUL,
  /** a / b; integers truncate towards zero. */
  DIV,
  /** a to the power b. */
  POW,
  /** The smaller; NaN wins. */
  MINIMUM,
  /** The larger; NaN wins. */
  MAXIMUM,
  /** a = b, a BOOL. */
  EQUAL,
  /** a &lt; b, a BOOL. */
  LESS,
  /** a &lt;= b, a BOOL. */
  LESS_OR_EQUAL,
  /** Logical and of BOOLs. */
  AND,
  /** Logical or of BOOLs. */
  OR,

  // Elementwise on one value.
  /** Logical not of a BOOL. */
  NOT,
  /** -x. */
  NEG,
  /** Absolute value. */
  ABS,
  /** e to the x. */
  EXP,
  /** Natural logarithm. */
  LOG,
  /** Sine. */
  SIN,
  /** Cosine. */
  COS,
  /** Hyperbolic tangent. */
  TANH,
  /** Square root. */
  SQRT,
  /** 1 / sqrt(x). */
  RSQRT,
  /** Largest integer not above. */
  FLOOR,
  /** Error function. */
  ERF,
  /** 1 / (1 + exp(-x)). */
  SIGMOID,
  /** max(x, 0). */
  RELU,
  /** x * sigmoid(x). */
  SILU,
  /** x * Phi(x), by the error function. */
  GELU,
  /** The tanh approximation of {@link #GELU}. */
  GELU_TANH,
  /** x * sigmoid(1.702 x), as CLIP has it. */
  QUICK_GELU,
  /** x limited to {@link Attributes.Clamp}. */
  CLAMP,
  /** Another element type, {@link Attributes.Cast}; floats truncate towards zero. */
  CAST,
  /** condition, a, b: a where the BOOL condition holds, else b; broadcast. */
  WHERE,

  // Linear algebra.
  /** x [..., in], weight [out, in], [bias [out]] to [..., out]. */
  LINEAR,
  /**
   * a [..., m, k], b [..., k, n] to [..., m, n]; leading axes broadcast; {@link Attributes.MatMul}.
   */
  MATMUL,
  /** ids (integers, any shape), table [n, d] to [ids..., d]. */
  EMBEDDING,
  /**
   * x [batch, in, spatial...], weight [out, in/groups, kernel...], [bias [out]]; one to three
   * spatial axes; {@link Attributes.Conv}.
   */
  CONV,
  /**
   * x [batch, in, spatial...], weight [in, out/groups, kernel...], [bias [out]]; {@link
   * Attributes.ConvTranspose}.
   */
  CONV_TRANSPOSE,

  // Normalisation.
  /** x, [weight], [bias] over the last axis; {@link Attributes.Norm}. */
  LAYER_NORM,
  /** x, [weight] over the last axis: x / sqrt(mean(x^2) + eps); {@link Attributes.Norm}. */
  RMS_NORM,
  /**
   * x [batch, channels, spatial...], [weight], [bias] of [channels]; {@link Attributes.GroupNorm}.
   */
  GROUP_NORM,
  /** Softmax along {@link Attributes.Axis}. */
  SOFTMAX,
  /** Logarithm of softmax along {@link Attributes.Axis}. */
  LOG_SOFTMAX,

  // Attention.
  /**
   * query [batch, queries, heads*d], key [batch, keys, kvHeads*d], value [batch, keys, kvHeads*dv],
   * [mask BOOL, true = attend, broadcast to [batch, heads, queries, keys]], [bias float, broadcast
   * likewise, added to the scaled scores] to [batch, queries, heads*dv] and, if asked for, the
   * probabilities [batch, heads, queries, keys]; {@link Attributes.Attention}. A query that may
   * attend to nothing gives zeros.
   */
  ATTENTION,
  /**
   * Causal attention over kept keys and values: query [batch, s, heads*d], key [batch, s,
   * kvHeads*d], value [batch, s, kvHeads*dv], keyState [batch, kvHeads, capacity, d], valueState
   * [batch, kvHeads, capacity, dv], past I32 [batch] (entries already kept in each row), [bias,
   * broadcast to [batch, heads, s, capacity]] to output [batch, s, heads*dv] and both states with
   * the s new entries written at positions past ... past+s-1. Query i attends to kept positions 0
   * ... past+i. {@link Attributes.CachedAttention}.
   */
  CACHED_ATTENTION,
  /**
   * x [batch, s, heads*d], cos, sin [s, r/2] or [batch, s, r/2] with r &lt;= d: the first r entries
   * of each head are turned, the rest stays; {@link Attributes.Rotary}.
   */
  ROTARY,

  // Shape.
  /** The same elements, in order, under {@link Attributes.Reshape}. */
  RESHAPE,
  /** Axes in another order, {@link Attributes.Transpose}. */
  TRANSPOSE,
  /** Broadcast to {@link Attributes.Expand}. */
  EXPAND,
  /** Any number of values joined along {@link Attributes.Axis}. */
  CONCAT,
  /** A range of one axis, {@link Attributes.Slice}. */
  SLICE,
  /** Grown at the edges, {@link Attributes.Pad}. */
  PAD,
  /** x [batch, channels, spatial...] to other spatial lengths, {@link Attributes.Resize}. */
  RESIZE,

  // Indexing. An index outside its axis is an error, never undefined.
  /** x, indices (integers, any shape): entries of one axis, {@link Attributes.Axis}. */
  GATHER,
  /** x, indices of x's rank: single elements along {@link Attributes.Axis}. */
  GATHER_ELEMENTS,
  /**
   * x [n, ...], indices [m], updates [m, ...]: x with whole rows replaced. Where an index repeats,
   * one of its rows wins.
   */
  SCATTER_ROWS,

  // Reductions over Attributes.Reduce.
  /** Sum. */
  REDUCE_SUM,
  /** Mean. */
  REDUCE_MEAN,
  /** Largest. */
  REDUCE_MAX,
  /** Smallest. */
  REDUCE_MIN,
  /** Index of the first largest along {@link Attributes.ArgMax}, I64. */
  ARGMAX,
  /** Largest values and their indices (I64) along {@link Attributes.TopK}, in falling order. */
  TOP_K,
  /** Running sum along {@link Attributes.Axis}. */
  CUMSUM,

  /**
   * Mixture of experts with gated feed-forward: x [tokens, d], router weights [tokens, experts]
   * (already normalised; 0 = not routed there), gate [experts, hidden, d], up [experts, hidden, d],
   * down [experts, d, hidden] to [tokens, d]: sum over experts of weight * down(act(gate x) * up
   * x); {@link Attributes.Experts}.
   */
  EXPERTS
}
