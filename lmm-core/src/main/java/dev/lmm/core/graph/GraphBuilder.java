package dev.lmm.core.graph;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes a {@link Graph}, reading like the model's own source: {@link #at} goes down one level of
 * the checkpoint's names, weights are asked for below it together with the shape the config
 * implies, and nodes are named after the place.
 *
 * <pre>{@code
 * Value layer(GraphBuilder g, Value x) { // x [batch, s, width]
 *   Value h = g.layerNorm("layer_norm1", x, 1e-5);
 *   GraphBuilder a = g.at("self_attn");
 *   Value o = a.attention(a.linear("q_proj", h, width), ...);
 *   return g.add(x, a.linear("out_proj", o, width));
 * }
 * }</pre>
 *
 * <p>Every method checks the operator's rules at once and throws {@link GraphException} or {@link
 * dev.lmm.CheckpointException} where they do not hold. Not thread-safe.
 */
public final class GraphBuilder {
  /** What all scopes of one graph share. */
  private static final class Shared {
    final String name;
    final WeightUsage usage;
    final DType dtype;
    final List<Value> inputs = new ArrayList<>();
    final Map<WeightRef, Value> weights = new LinkedHashMap<>();
    final List<Value> constants = new ArrayList<>();
    final Map<Value, Value> states = new LinkedHashMap<>();
    final List<Node> nodes = new ArrayList<>();
    final Map<String, Value> outputs = new LinkedHashMap<>();
    final Map<String, Integer> names = new HashMap<>();
    final Map<String, LowRankBranch> branches = new HashMap<>();

    Shared(String name, WeightUsage usage, DType dtype) {
      this.name = name;
      this.usage = usage;
      this.dtype = dtype;
    }

    String unique(String wanted) {
      Integer count = names.merge(wanted, 1, Integer::sum);
      return count == 1 ? wanted : unique(wanted + "_" + count);
    }
  }

  private final Shared shared;
  private final String path;

  private GraphBuilder(Shared shared, String path) {
    this.shared = shared;
    this.path = path;
  }

  /**
   * Begins a graph that computes in single precision.
   *
   * @param name for messages and files
   * @param usage resolves weights
   */
  public GraphBuilder(String name, WeightUsage usage) {
    this(name, usage, DType.F32);
  }

  /**
   * Begins a graph.
   *
   * @param name for messages and files
   * @param usage resolves weights
   * @param dtype the floating point type weights and constants are seen in
   */
  public GraphBuilder(String name, WeightUsage usage, DType dtype) {
    this(new Shared(name, usage, dtype), "");
  }

  /**
   * Finishes and verifies the graph.
   *
   * @return the graph
   */
  public Graph build() {
    return Verifier.verify(
        new Graph(
            shared.name,
            shared.inputs,
            List.copyOf(shared.weights.values()),
            shared.constants,
            shared.states,
            shared.nodes,
            shared.outputs));
  }

  // Scopes.

  /**
   * The scope one level down.
   *
   * @param name a part of checkpoint names, without dots at its ends; may hold several levels
   * @return a view of the same graph
   */
  public GraphBuilder at(String name) {
    return new GraphBuilder(shared, below(name));
  }

  /**
   * The scope of one element of a list.
   *
   * @param index for instance a layer's number
   * @return a view of the same graph
   */
  public GraphBuilder at(int index) {
    return at(Integer.toString(index));
  }

  /**
   * The place of this scope.
   *
   * @return the path, empty at the root
   */
  public String path() {
    return path;
  }

  /**
   * The floating point type of the graph.
   *
   * @return the type weights and constants are seen in
   */
  public DType dtype() {
    return shared.dtype;
  }

  private String below(String name) {
    return path.isEmpty() || name.isEmpty() ? path + name : path + "." + name;
  }

  // Values from outside.

  /**
   * An input of the graph.
   *
   * @param name as runs name it; not below the scope
   * @param dtype element type
   * @param dims as {@link Shape#of}
   * @return the value
   */
  public Value input(String name, DType dtype, Object... dims) {
    Value value =
        new Value(
            shared.unique(name),
            Value.Kind.INPUT,
            new TensorType(dtype, Shape.of(dims)),
            null,
            null);
    shared.inputs.add(value);
    return value;
  }

  /**
   * A state: a buffer kept between runs, zero at first.
   *
   * @param name below the scope
   * @param dtype element type
   * @param dims as {@link Shape#of}
   * @return the value a run finds
   */
  public Value state(String name, DType dtype, Object... dims) {
    Value value =
        new Value(
            shared.unique(below(name)),
            Value.Kind.STATE,
            new TensorType(dtype, Shape.of(dims)),
            null,
            null);
    shared.states.put(value, value);
    return value;
  }

  /**
   * Says what a state is after the run.
   *
   * @param state the state, as {@link #state} gave it
   * @param next its new value, of the same type
   */
  public void update(Value state, Value next) {
    if (!shared.states.containsKey(state)) {
      throw new GraphException(state + " is no state of graph " + shared.name);
    }
    shared.states.put(state, next);
  }

  /**
   * An output of the graph.
   *
   * @param name as runs name it
   * @param value the value
   */
  public void output(String name, Value value) {
    if (shared.outputs.putIfAbsent(name, value) != null) {
      throw new GraphException("graph " + shared.name + " has two outputs named " + name);
    }
  }

  // Weights and constants.

  /**
   * Whether the checkpoint has a tensor below this scope.
   *
   * @param name below the scope
   * @return true if it is there (always, without a checkpoint)
   */
  public boolean has(String name) {
    return shared.usage.has(below(name));
  }

  /**
   * A whole tensor of the checkpoint.
   *
   * @param name below the scope
   * @param shape the shape the config implies
   * @return the value, in the graph's floating point type whatever the file's is
   * @throws dev.lmm.CheckpointException if it is missing or has another shape
   */
  public Value weight(String name, long... shape) {
    return weight(WeightRef.whole(below(name), shape));
  }

  /**
   * Some rows of a tensor, for fused projections.
   *
   * @param name below the scope
   * @param stored the shape of the whole tensor
   * @param start first row
   * @param rows number of rows
   * @return the value, of shape [rows, ...]
   */
  public Value weightRows(String name, long[] stored, long start, long rows) {
    long[] view = stored.clone();
    view[0] = rows;
    return weight(new WeightRef(below(name), stored, start, rows, false, view));
  }

  /**
   * A tensor of the checkpoint by a full reference. The same reference twice is one value.
   *
   * @param ref the reference, its name not below the scope
   * @return the value
   */
  public Value weight(WeightRef ref) {
    long view = Arrays.stream(ref.view()).reduce(1, Math::multiplyExact);
    if (ref.rowStart() < 0
        || ref.rows() < 0
        || (ref.stored().length > 0 && ref.rowStart() + ref.rows() > ref.stored()[0])
        || view != ref.elements()
        || (ref.transpose() && ref.stored().length != 2)) {
      throw new GraphException("weight " + ref + " is not within its tensor");
    }
    Value known = shared.weights.get(ref);
    if (known != null) {
      return known;
    }
    shared.usage.use(ref);
    Value value =
        new Value(
            shared.unique(ref.name()),
            Value.Kind.WEIGHT,
            new TensorType(shared.dtype, Shape.ofFixed(ref.view())),
            ref,
            null);
    shared.weights.put(ref, value);
    return value;
  }

  /**
   * A constant scalar of the graph's floating point type.
   *
   * @param value the number
   * @return the value, of rank 0
   */
  public Value scalar(double value) {
    return constant("scalar", new float[] {(float) value});
  }

  /**
   * Constant floating point numbers, of the graph's type (which must be F32).
   *
   * @param name below the scope
   * @param data the elements, row by row
   * @param shape the shape; none for a scalar
   * @return the value
   */
  public Value constant(String name, float[] data, long... shape) {
    if (shared.dtype != DType.F32) {
      return cast(constantF32(name, data, shape), shared.dtype);
    }
    return constantF32(name, data, shape);
  }

  private Value constantF32(String name, float[] data, long... shape) {
    ByteBuffer bytes = direct(data.length * 4L);
    bytes.asFloatBuffer().put(data);
    return constant(name, DType.F32, bytes, data.length, shape);
  }

  /**
   * Constant integers, I64.
   *
   * @param name below the scope
   * @param data the elements, row by row
   * @param shape the shape; none for a scalar
   * @return the value
   */
  public Value constant(String name, long[] data, long... shape) {
    ByteBuffer bytes = direct(data.length * 8L);
    bytes.asLongBuffer().put(data);
    return constant(name, DType.I64, bytes, data.length, shape);
  }

  /**
   * Constant truth values.
   *
   * @param name below the scope
   * @param data the elements, row by row
   * @param shape the shape; none for a scalar
   * @return the value
   */
  public Value constant(String name, boolean[] data, long... shape) {
    ByteBuffer bytes = direct(data.length);
    for (int i = 0; i < data.length; i++) {
      bytes.put(i, (byte) (data[i] ? 1 : 0));
    }
    return constant(name, DType.BOOL, bytes, data.length, shape);
  }

  private Value constant(String name, DType dtype, ByteBuffer data, int length, long[] shape) {
    long elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    if (elements != length) {
      throw new GraphException(
          below(name) + ": " + length + " elements do not fill " + Arrays.toString(shape));
    }
    Value value =
        new Value(
            shared.unique(below(name)),
            Value.Kind.CONSTANT,
            new TensorType(dtype, Shape.ofFixed(shape)),
            null,
            data);
    shared.constants.add(value);
    return value;
  }

  private static ByteBuffer direct(long bytes) {
    return ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.nativeOrder());
  }

  // Layers: operators with their weights, at a name below the scope.

  /**
   * A linear layer with bias: {@code name.weight} [out, in] and {@code name.bias} [out].
   *
   * @param name below the scope
   * @param x [..., in]
   * @param out output width
   * @return [..., out]
   */
  public Value linear(String name, Value x, long out) {
    GraphBuilder g = at(name);
    return g.linear(
        x, g.weight("weight", out, x.dim(-1).fixed().orElseThrow()), g.weight("bias", out));
  }

  /**
   * A linear layer without bias: {@code name.weight} [out, in].
   *
   * @param name below the scope
   * @param x [..., in]
   * @param out output width
   * @return [..., out]
   */
  public Value linearNoBias(String name, Value x, long out) {
    GraphBuilder g = at(name);
    return g.linear(x, g.weight("weight", out, x.dim(-1).fixed().orElseThrow()), null);
  }

  /**
   * Layer normalisation over the last axis: {@code name.weight} and {@code name.bias}.
   *
   * @param name below the scope
   * @param x [..., width]
   * @param epsilon added to the variance
   * @return as x
   */
  public Value layerNorm(String name, Value x, double epsilon) {
    GraphBuilder g = at(name);
    long width = x.dim(-1).fixed().orElseThrow();
    return g.layerNorm(x, g.weight("weight", width), g.weight("bias", width), epsilon);
  }

  /**
   * RMS normalisation over the last axis: {@code name.weight}.
   *
   * @param name below the scope
   * @param x [..., width]
   * @param epsilon added to the mean square
   * @return as x
   */
  public Value rmsNorm(String name, Value x, double epsilon) {
    GraphBuilder g = at(name);
    return g.rmsNorm(x, g.weight("weight", x.dim(-1).fixed().orElseThrow()), epsilon);
  }

  /**
   * Group normalisation: {@code name.weight} and {@code name.bias}.
   *
   * @param name below the scope
   * @param x [batch, channels, spatial...]
   * @param groups divides the channels
   * @param epsilon added to the variance
   * @return as x
   */
  public Value groupNorm(String name, Value x, int groups, double epsilon) {
    GraphBuilder g = at(name);
    long channels = x.dim(1).fixed().orElseThrow();
    return g.groupNorm(
        x, groups, g.weight("weight", channels), g.weight("bias", channels), epsilon);
  }

  /**
   * A lookup table: {@code name.weight} [n, width].
   *
   * @param name below the scope
   * @param ids integers of any shape
   * @param n rows
   * @param width row length
   * @return [ids..., width]
   */
  public Value embedding(String name, Value ids, long n, long width) {
    GraphBuilder g = at(name);
    return g.embedding(ids, g.weight("weight", n, width));
  }

  // Operators.

  /**
   * a + b, broadcast.
   *
   * @param a first
   * @param b second
   * @return the sum
   */
  public Value add(Value a, Value b) {
    return one(Op.ADD, a, b);
  }

  /**
   * a - b, broadcast.
   *
   * @param a first
   * @param b second
   * @return the difference
   */
  public Value sub(Value a, Value b) {
    return one(Op.SUB, a, b);
  }

  /**
   * a * b, broadcast.
   *
   * @param a first
   * @param b second
   * @return the product
   */
  public Value mul(Value a, Value b) {
    return one(Op.MUL, a, b);
  }

  /**
   * a / b, broadcast.
   *
   * @param a first
   * @param b second
   * @return the quotient
   */
  public Value div(Value a, Value b) {
    return one(Op.DIV, a, b);
  }

  /**
   * Any operator of two values without attributes: arithmetic, comparisons, logic.
   *
   * @param op the operator
   * @param a first
   * @param b second
   * @return the result
   */
  public Value binary(Op op, Value a, Value b) {
    return one(op, a, b);
  }

  /**
   * Any operator of one value without attributes: activations and functions.
   *
   * @param op the operator
   * @param x the value
   * @return the result
   */
  public Value unary(Op op, Value x) {
    return one(op, x);
  }

  /**
   * x times a number.
   *
   * @param x the value
   * @param factor the number
   * @return the product
   */
  public Value scale(Value x, double factor) {
    return mul(x, scalar(factor));
  }

  /**
   * Limits.
   *
   * @param x the value
   * @param min lower
   * @param max upper
   * @return x within both
   */
  public Value clamp(Value x, double min, double max) {
    return one(Op.CLAMP, new Attributes.Clamp(min, max), x);
  }

  /**
   * Another element type.
   *
   * @param x the value
   * @param dtype the type
   * @return x, converted
   */
  public Value cast(Value x, DType dtype) {
    return x.dtype() == dtype ? x : one(Op.CAST, new Attributes.Cast(dtype), x);
  }

  /**
   * Chooses elementwise, broadcast.
   *
   * @param condition BOOL
   * @param a where it holds
   * @param b elsewhere
   * @return the result
   */
  public Value where(Value condition, Value a, Value b) {
    return one(Op.WHERE, condition, a, b);
  }

  /**
   * x times the transposed weight, plus bias.
   *
   * @param x [..., in]
   * @param weight [out, in]
   * @param bias [out], or null
   * @return [..., out]
   */
  public Value linear(Value x, Value weight, @Nullable Value bias) {
    Value y = one(Op.LINEAR, x, weight, bias);
    LowRankBranch branch = branch(weight);
    return branch == null ? y : branch.addTo(y, x, weight.weight());
  }

  /**
   * Matrix product; leading axes broadcast.
   *
   * @param a [..., m, k]
   * @param b [..., k, n]
   * @return [..., m, n]
   */
  public Value matmul(Value a, Value b) {
    return matmul(a, b, false, false);
  }

  /**
   * Matrix product of transposed inputs; leading axes broadcast.
   *
   * @param a [..., m, k], or [..., k, m]
   * @param b [..., k, n], or [..., n, k]
   * @param transposeA whether a is the second form
   * @param transposeB whether b is the second form
   * @return [..., m, n]
   */
  public Value matmul(Value a, Value b, boolean transposeA, boolean transposeB) {
    return one(Op.MATMUL, new Attributes.MatMul(transposeA, transposeB), a, b);
  }

  /**
   * Rows of a table.
   *
   * @param ids integers of any shape
   * @param table [n, width]
   * @return [ids..., width]
   */
  public Value embedding(Value ids, Value table) {
    return one(Op.EMBEDDING, ids, table);
  }

  /**
   * Convolution.
   *
   * @param x [batch, in, spatial...]
   * @param weight [out, in/groups, kernel...]
   * @param bias [out], or null
   * @param attributes strides, dilations, padding, groups
   * @return [batch, out, spatial...]
   */
  public Value conv(Value x, Value weight, @Nullable Value bias, Attributes.Conv attributes) {
    Value y = one(Op.CONV, attributes, x, weight, bias);
    LowRankBranch branch = branch(weight);
    return branch == null ? y : branch.addTo(y, x, attributes);
  }

  /**
   * Convolution with one stride and symmetric padding for all axes.
   *
   * @param x [batch, in, spatial...]
   * @param weight [out, in, kernel...]
   * @param bias [out], or null
   * @param stride at least 1
   * @param padding zeros at both ends of each axis
   * @return [batch, out, spatial...]
   */
  public Value conv(Value x, Value weight, @Nullable Value bias, int stride, int padding) {
    int spatial = x.rank() - 2;
    List<Integer> pad = Collections.nCopies(spatial, padding);
    return conv(
        x,
        weight,
        bias,
        new Attributes.Conv(
            Collections.nCopies(spatial, stride), Collections.nCopies(spatial, 1), pad, pad, 1));
  }

  /**
   * Transposed convolution.
   *
   * @param x [batch, in, spatial...]
   * @param weight [in, out/groups, kernel...]
   * @param bias [out], or null
   * @param attributes strides, padding, groups
   * @return [batch, out, spatial...]
   */
  public Value convTranspose(
      Value x, Value weight, @Nullable Value bias, Attributes.ConvTranspose attributes) {
    return one(Op.CONV_TRANSPOSE, attributes, x, weight, bias);
  }

  /**
   * Layer normalisation over the last axis.
   *
   * @param x [..., width]
   * @param weight [width], or null
   * @param bias [width], or null
   * @param epsilon added to the variance
   * @return as x
   */
  public Value layerNorm(Value x, @Nullable Value weight, @Nullable Value bias, double epsilon) {
    return one(Op.LAYER_NORM, new Attributes.Norm(epsilon), x, weight, bias);
  }

  /**
   * RMS normalisation over the last axis.
   *
   * @param x [..., width]
   * @param weight [width], or null
   * @param epsilon added to the mean square
   * @return as x
   */
  public Value rmsNorm(Value x, @Nullable Value weight, double epsilon) {
    return one(Op.RMS_NORM, new Attributes.Norm(epsilon), x, weight);
  }

  /**
   * Group normalisation.
   *
   * @param x [batch, channels, spatial...]
   * @param groups divides the channels
   * @param weight [channels], or null
   * @param bias [channels], or null
   * @param epsilon added to the variance
   * @return as x
   */
  public Value groupNorm(
      Value x, int groups, @Nullable Value weight, @Nullable Value bias, double epsilon) {
    return one(Op.GROUP_NORM, new Attributes.GroupNorm(groups, epsilon), x, weight, bias);
  }

  /**
   * Softmax.
   *
   * @param x the value
   * @param axis negative counts from the end
   * @return as x
   */
  public Value softmax(Value x, int axis) {
    return one(Op.SOFTMAX, new Attributes.Axis(x.shape().axis(axis)), x);
  }

  /**
   * Log of softmax.
   *
   * @param x the value
   * @param axis negative counts from the end
   * @return as x
   */
  public Value logSoftmax(Value x, int axis) {
    return one(Op.LOG_SOFTMAX, new Attributes.Axis(x.shape().axis(axis)), x);
  }

  /**
   * Attention; see {@link Op#ATTENTION}.
   *
   * @param query [batch, queries, heads*d]
   * @param key [batch, keys, kvHeads*d]
   * @param value [batch, keys, kvHeads*dv]
   * @param mask BOOL, true = attend, or null
   * @param bias added to the scaled scores, or null
   * @param attributes heads, scale, causal, window
   * @return [batch, queries, heads*dv], and the probabilities if asked for
   */
  public List<Value> attention(
      Value query,
      Value key,
      Value value,
      @Nullable Value mask,
      @Nullable Value bias,
      Attributes.Attention attributes) {
    return many(Op.ATTENTION, attributes, query, key, value, mask, bias);
  }

  /**
   * Plain multi-head attention with scale 1/sqrt(d).
   *
   * @param query [batch, queries, heads*d]
   * @param key [batch, keys, heads*d]
   * @param value [batch, keys, heads*dv]
   * @param heads number of heads
   * @param causal whether later keys are hidden
   * @param mask BOOL, true = attend, or null
   * @return [batch, queries, heads*dv]
   */
  public Value attention(
      Value query, Value key, Value value, int heads, boolean causal, @Nullable Value mask) {
    double d = query.dim(-1).fixed().orElseThrow() / (double) heads;
    return attention(
            query,
            key,
            value,
            mask,
            null,
            new Attributes.Attention(heads, heads, 1 / Math.sqrt(d), causal, 0, false))
        .get(0);
  }

  /**
   * Causal attention over kept keys and values, whose states it updates; see {@link
   * Op#CACHED_ATTENTION}.
   *
   * @param query [batch, s, heads*d]
   * @param key [batch, s, kvHeads*d]
   * @param value [batch, s, kvHeads*dv]
   * @param keyState [batch, kvHeads, capacity, d], a state
   * @param valueState [batch, kvHeads, capacity, dv], a state
   * @param past I32 [batch], entries already kept
   * @param bias added to the scaled scores, or null
   * @param attributes heads, scale, window
   * @return [batch, s, heads*dv]
   */
  public Value cachedAttention(
      Value query,
      Value key,
      Value value,
      Value keyState,
      Value valueState,
      Value past,
      @Nullable Value bias,
      Attributes.CachedAttention attributes) {
    List<Value> results =
        many(Op.CACHED_ATTENTION, attributes, query, key, value, keyState, valueState, past, bias);
    update(keyState, results.get(1));
    update(valueState, results.get(2));
    return results.get(0);
  }

  /**
   * Rotary position embedding; see {@link Op#ROTARY}.
   *
   * @param x [batch, s, heads*d]
   * @param cos [s, r/2] or [batch, s, r/2]
   * @param sin as cos
   * @param heads number of heads
   * @param interleaved whether pairs are neighbours instead of halves
   * @return as x
   */
  public Value rotary(Value x, Value cos, Value sin, int heads, boolean interleaved) {
    return one(Op.ROTARY, new Attributes.Rotary(heads, interleaved), x, cos, sin);
  }

  /**
   * The same elements under another shape.
   *
   * @param x the value
   * @param dims as {@link Shape#of}
   * @return x
   */
  public Value reshape(Value x, Object... dims) {
    Shape shape = Shape.of(dims);
    return shape.equals(x.shape()) ? x : one(Op.RESHAPE, new Attributes.Reshape(shape), x);
  }

  /**
   * Axes in another order.
   *
   * @param x the value
   * @param permutation entry i becomes axis i
   * @return x
   */
  public Value transpose(Value x, int... permutation) {
    return one(Op.TRANSPOSE, new Attributes.Transpose(boxed(permutation)), x);
  }

  /**
   * Broadcasts.
   *
   * @param x the value
   * @param dims as {@link Shape#of}
   * @return x, repeated
   */
  public Value expand(Value x, Object... dims) {
    Shape shape = Shape.of(dims);
    return shape.equals(x.shape()) ? x : one(Op.EXPAND, new Attributes.Expand(shape), x);
  }

  /**
   * Joins.
   *
   * @param axis negative counts from the end
   * @param values at least one
   * @return the whole
   */
  public Value concat(int axis, Value... values) {
    if (values.length == 0) {
      throw new GraphException(below("concat") + " needs at least one value");
    }
    return one(Op.CONCAT, new Attributes.Axis(values[0].shape().axis(axis)), values);
  }

  /**
   * A range of one axis.
   *
   * @param x the value
   * @param axis negative counts from the end
   * @param start first index
   * @param end index after the last
   * @return the range
   */
  public Value slice(Value x, int axis, Dim start, Dim end) {
    return one(Op.SLICE, new Attributes.Slice(x.shape().axis(axis), start, end, 1), x);
  }

  /**
   * A range of one axis.
   *
   * @param x the value
   * @param axis negative counts from the end
   * @param start first index
   * @param end index after the last
   * @return the range
   */
  public Value slice(Value x, int axis, long start, long end) {
    return slice(x, axis, Dim.of(start), Dim.of(end));
  }

  /**
   * Every so-manyth of an axis.
   *
   * @param x the value
   * @param attributes the range
   * @return the range
   */
  public Value slice(Value x, Attributes.Slice attributes) {
    return one(Op.SLICE, attributes, x);
  }

  /**
   * Grows.
   *
   * @param x the value
   * @param attributes how
   * @return x with edges
   */
  public Value pad(Value x, Attributes.Pad attributes) {
    return one(Op.PAD, attributes, x);
  }

  /**
   * Resizes the spatial axes.
   *
   * @param x [batch, channels, spatial...]
   * @param attributes how
   * @return x
   */
  public Value resize(Value x, Attributes.Resize attributes) {
    return one(Op.RESIZE, attributes, x);
  }

  /**
   * Entries of one axis.
   *
   * @param x the value
   * @param indices I32 or I64, any shape
   * @param axis negative counts from the end
   * @return x with the axis replaced by the axes of the indices
   */
  public Value gather(Value x, Value indices, int axis) {
    return one(Op.GATHER, new Attributes.Axis(x.shape().axis(axis)), x, indices);
  }

  /**
   * Single elements along one axis.
   *
   * @param x the value
   * @param indices of x's rank, equal to x off the axis
   * @param axis negative counts from the end
   * @return of the indices' shape
   */
  public Value gatherElements(Value x, Value indices, int axis) {
    return one(Op.GATHER_ELEMENTS, new Attributes.Axis(x.shape().axis(axis)), x, indices);
  }

  /**
   * Replaces whole rows.
   *
   * @param x [n, ...]
   * @param indices [m]
   * @param updates [m, ...]
   * @return as x
   */
  public Value scatterRows(Value x, Value indices, Value updates) {
    return one(Op.SCATTER_ROWS, x, indices, updates);
  }

  /**
   * A reduction.
   *
   * @param op one of the REDUCE operators
   * @param x the value
   * @param keepDims whether reduced axes stay with length 1
   * @param axes negative counts from the end
   * @return the result
   */
  public Value reduce(Op op, Value x, boolean keepDims, int... axes) {
    List<Integer> sorted =
        Arrays.stream(axes).map(a -> x.shape().axis(a)).sorted().boxed().toList();
    return one(op, new Attributes.Reduce(sorted, keepDims), x);
  }

  /**
   * Index of the first largest.
   *
   * @param x the value
   * @param axis negative counts from the end
   * @return I64
   */
  public Value argMax(Value x, int axis) {
    return one(Op.ARGMAX, new Attributes.ArgMax(x.shape().axis(axis), false), x);
  }

  /**
   * The largest and their indices, in falling order.
   *
   * @param x the value
   * @param axis negative counts from the end
   * @param k how many
   * @return values and indices (I64)
   */
  public List<Value> topK(Value x, int axis, int k) {
    return many(Op.TOP_K, new Attributes.TopK(x.shape().axis(axis), k), x);
  }

  /**
   * Running sum.
   *
   * @param x the value
   * @param axis negative counts from the end
   * @return as x
   */
  public Value cumsum(Value x, int axis) {
    return one(Op.CUMSUM, new Attributes.Axis(x.shape().axis(axis)), x);
  }

  /**
   * Mixture of experts; see {@link Op#EXPERTS}.
   *
   * @param x [tokens, d]
   * @param routing [tokens, experts]
   * @param gate [experts, hidden, d]
   * @param up [experts, hidden, d]
   * @param down [experts, d, hidden]
   * @param activation of the gate
   * @return [tokens, d]
   */
  public Value experts(
      Value x, Value routing, Value gate, Value up, Value down, Attributes.Activation activation) {
    return one(Op.EXPERTS, new Attributes.Experts(activation), x, routing, gate, up, down);
  }

  /**
   * x over its Euclidean length along the last axis; a zero row gives NaN, as in the references.
   *
   * @param x [..., width]
   * @return as x
   */
  public Value l2Normalize(Value x) {
    Value squares = reduce(Op.REDUCE_SUM, mul(x, x), true, -1);
    return div(x, unary(Op.SQRT, squares));
  }

  /** What an adapter adds to the layer of a weight, or null. */
  private @Nullable LowRankBranch branch(Value weight) {
    if (weight.kind() != Value.Kind.WEIGHT) {
      return null;
    }
    WeightRef ref = weight.weight();
    int rank = shared.usage.rank(ref.name());
    if (rank == 0) {
      return null;
    }
    return shared.branches.computeIfAbsent(
        ref.name(),
        name -> new LowRankBranch(new GraphBuilder(shared, name + ".lora"), ref, weight, rank));
  }

  // Nodes.

  private Value one(Op op, @Nullable Value... inputs) {
    return one(op, new Attributes.None(), inputs);
  }

  private Value one(Op op, Attributes attributes, @Nullable Value... inputs) {
    return many(op, attributes, inputs).get(0);
  }

  private List<Value> many(Op op, Attributes attributes, @Nullable Value... inputs) {
    List<@Nullable Value> in = new ArrayList<>(Arrays.asList(inputs));
    while (!in.isEmpty() && in.get(in.size() - 1) == null) {
      in.remove(in.size() - 1);
    }
    String kind = op.name().toLowerCase(Locale.ROOT);
    // A node with a weight of its own is named like the weight's layer.
    boolean layer = in.stream().anyMatch(v -> v != null && ownWeight(v));
    String name = shared.unique("/" + (layer ? path : below(kind)));
    List<TensorType> types = OpRules.infer(name, op, in, attributes);
    List<Value> outputs = new ArrayList<>(types.size());
    for (int i = 0; i < types.size(); i++) {
      outputs.add(
          new Value(
              shared.unique(name + (i == 0 ? ":0" : ":" + i)),
              Value.Kind.RESULT,
              types.get(i),
              null,
              null));
    }
    shared.nodes.add(new Node(name, op, in, attributes, outputs));
    return outputs;
  }

  private boolean ownWeight(Value value) {
    return value.kind() == Value.Kind.WEIGHT
        && !path.isEmpty()
        && value.name().startsWith(path + ".");
  }

  private static List<Integer> boxed(int[] values) {
    return IntStream.of(values).boxed().toList();
  }
}
