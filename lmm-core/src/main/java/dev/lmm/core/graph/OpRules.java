package dev.lmm.core.graph;

import dev.lmm.core.graph.Attributes.Attention;
import dev.lmm.core.graph.Attributes.CachedAttention;
import dev.lmm.core.graph.Attributes.Conv;
import dev.lmm.core.graph.Attributes.ConvTranspose;
import dev.lmm.core.graph.Attributes.Pad;
import dev.lmm.core.graph.Attributes.Reduce;
import dev.lmm.core.graph.Attributes.Slice;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The rules of every operator, executable: how many inputs, of which types and shapes, and the
 * types of the results. Run for each node as it is made and again over every finished graph.
 */
final class OpRules {
  private final String name;
  private final Op op;
  private final List<@Nullable Value> inputs;
  private final Attributes attributes;

  private OpRules(String name, Op op, List<@Nullable Value> inputs, Attributes attributes) {
    this.name = name;
    this.op = op;
    this.inputs = inputs;
    this.attributes = attributes;
  }

  /**
   * The types of a node's results.
   *
   * @throws GraphException if the node breaks a rule; names node, operator and types
   */
  static List<TensorType> infer(
      String name, Op op, List<@Nullable Value> inputs, Attributes attributes) {
    return new OpRules(name, op, inputs, attributes).infer();
  }

  private List<TensorType> infer() {
    return switch (op) {
      case ADD, SUB, MUL, DIV, POW, MINIMUM, MAXIMUM -> {
        arity(2, 2);
        numeric(0);
        same(0, 1);
        yield one(in(0).dtype(), broadcast(in(0).shape(), in(1).shape()));
      }
      case EQUAL, LESS, LESS_OR_EQUAL -> {
        arity(2, 2);
        same(0, 1);
        if (op != Op.EQUAL) {
          numeric(0);
        }
        yield one(DType.BOOL, broadcast(in(0).shape(), in(1).shape()));
      }
      case AND, OR -> {
        arity(2, 2);
        dtype(0, DType.BOOL);
        dtype(1, DType.BOOL);
        yield one(DType.BOOL, broadcast(in(0).shape(), in(1).shape()));
      }
      case NOT -> {
        arity(1, 1);
        dtype(0, DType.BOOL);
        yield one(DType.BOOL, in(0).shape());
      }
      case NEG, ABS -> {
        arity(1, 1);
        numeric(0);
        yield like(0);
      }
      case CLAMP -> {
        arity(1, 1);
        numeric(0);
        Attributes.Clamp a = attr(Attributes.Clamp.class);
        require(a.min() <= a.max(), "min " + a.min() + " is above max " + a.max());
        yield like(0);
      }
      case EXP,
          LOG,
          SIN,
          COS,
          TANH,
          SQRT,
          RSQRT,
          FLOOR,
          ERF,
          SIGMOID,
          RELU,
          SILU,
          GELU,
          GELU_TANH,
          QUICK_GELU -> {
        arity(1, 1);
        floating(0);
        yield like(0);
      }
      case CAST -> {
        arity(1, 1);
        yield one(attr(Attributes.Cast.class).dtype(), in(0).shape());
      }
      case WHERE -> {
        arity(3, 3);
        dtype(0, DType.BOOL);
        same(1, 2);
        yield one(in(1).dtype(), broadcast(in(0).shape(), broadcast(in(1).shape(), in(2).shape())));
      }
      case LINEAR -> linear();
      case MATMUL -> matmul();
      case EMBEDDING -> {
        arity(2, 2);
        integer(0);
        floating(1);
        rank(1, 2);
        List<Dim> dims = new ArrayList<>(in(0).shape().dims());
        dims.add(in(1).dim(1));
        yield one(in(1).dtype(), new Shape(dims));
      }
      case CONV -> conv();
      case CONV_TRANSPOSE -> convTranspose();
      case LAYER_NORM, RMS_NORM -> {
        arity(1, op == Op.LAYER_NORM ? 3 : 2);
        floating(0);
        minRank(0, 1);
        attr(Attributes.Norm.class);
        for (int i = 1; i < inputs.size(); i++) {
          if (inputs.get(i) != null) {
            same(0, i);
            shape(i, new Shape(List.of(in(0).dim(-1))));
          }
        }
        yield like(0);
      }
      case GROUP_NORM -> {
        arity(1, 3);
        floating(0);
        minRank(0, 3);
        int groups = attr(Attributes.GroupNorm.class).groups();
        long channels = fixed(in(0).dim(1), "channels");
        require(
            groups >= 1 && channels % groups == 0,
            channels + " channels cannot be split into " + groups + " groups");
        for (int i = 1; i < inputs.size(); i++) {
          if (inputs.get(i) != null) {
            same(0, i);
            shape(i, Shape.ofFixed(channels));
          }
        }
        yield like(0);
      }
      case SOFTMAX, LOG_SOFTMAX -> {
        arity(1, 1);
        floating(0);
        axis(in(0), attr(Attributes.Axis.class).axis());
        yield like(0);
      }
      case ATTENTION -> attention();
      case CACHED_ATTENTION -> cachedAttention();
      case ROTARY -> rotary();
      case RESHAPE -> {
        arity(1, 1);
        Shape target = attr(Attributes.Reshape.class).shape();
        require(
            target.elements().equals(in(0).shape().elements()),
            "shape " + target + " has not as many elements as " + in(0).shape());
        yield one(in(0).dtype(), target);
      }
      case TRANSPOSE -> {
        arity(1, 1);
        List<Integer> order = attr(Attributes.Transpose.class).permutation();
        Set<Integer> seen = new HashSet<>(order);
        require(
            order.size() == in(0).rank()
                && seen.size() == order.size()
                && order.stream().allMatch(i -> i >= 0 && i < order.size()),
            "permutation " + order + " does not fit rank " + in(0).rank());
        yield one(
            in(0).dtype(),
            new Shape(order.stream().map(i -> in(0).shape().dims().get(i)).toList()));
      }
      case EXPAND -> {
        arity(1, 1);
        Shape target = attr(Attributes.Expand.class).shape();
        require(
            broadcast(in(0).shape(), target).equals(target),
            in(0).shape() + " does not broadcast to " + target);
        yield one(in(0).dtype(), target);
      }
      case CONCAT -> concat();
      case SLICE -> {
        arity(1, 1);
        Slice a = attr(Slice.class);
        axis(in(0), a.axis());
        require(a.step() >= 1, "step " + a.step() + " is below 1");
        inRange(a.start(), in(0).dim(a.axis()), "start");
        inRange(a.end(), in(0).dim(a.axis()), "end");
        Dim length = a.end().minus(a.start());
        length
            .fixed()
            .ifPresent(n -> require(n >= 0, "end " + a.end() + " is before " + a.start()));
        yield one(
            in(0).dtype(),
            in(0).shape().with(a.axis(), length.plus(a.step() - 1L).floorDiv(a.step())));
      }
      case PAD -> pad();
      case RESIZE -> resize();
      case GATHER -> {
        arity(2, 2);
        integer(1);
        int axis = axis(in(0), attr(Attributes.Axis.class).axis());
        List<Dim> dims = new ArrayList<>(in(0).shape().dims().subList(0, axis));
        dims.addAll(in(1).shape().dims());
        dims.addAll(in(0).shape().dims().subList(axis + 1, in(0).rank()));
        yield one(in(0).dtype(), new Shape(dims));
      }
      case GATHER_ELEMENTS -> {
        arity(2, 2);
        integer(1);
        int axis = axis(in(0), attr(Attributes.Axis.class).axis());
        rank(1, in(0).rank());
        for (int i = 0; i < in(0).rank(); i++) {
          if (i != axis) {
            require(
                in(1).dim(i).equals(in(0).dim(i)),
                "indices " + in(1).shape() + " differ from " + in(0).shape() + " off the axis");
          }
        }
        yield one(in(0).dtype(), in(1).shape());
      }
      case SCATTER_ROWS -> {
        arity(3, 3);
        minRank(0, 1);
        integer(1);
        rank(1, 1);
        same(0, 2);
        shape(2, in(0).shape().with(0, in(1).dim(0)));
        yield like(0);
      }
      case REDUCE_SUM, REDUCE_MEAN, REDUCE_MAX, REDUCE_MIN -> {
        arity(1, 1);
        if (op == Op.REDUCE_MEAN) {
          floating(0);
        } else {
          numeric(0);
        }
        Reduce a = attr(Reduce.class);
        require(
            !a.axes().isEmpty() && new HashSet<>(a.axes()).size() == a.axes().size(),
            "axes " + a.axes() + " are empty or repeat");
        a.axes().forEach(axis -> axis(in(0), axis));
        yield one(in(0).dtype(), reduced(in(0).shape(), a.axes(), a.keepDims()));
      }
      case ARGMAX -> {
        arity(1, 1);
        numeric(0);
        Attributes.ArgMax a = attr(Attributes.ArgMax.class);
        int axis = axis(in(0), a.axis());
        yield one(DType.I64, reduced(in(0).shape(), List.of(axis), a.keepDims()));
      }
      case TOP_K -> {
        arity(1, 1);
        numeric(0);
        Attributes.TopK a = attr(Attributes.TopK.class);
        int axis = axis(in(0), a.axis());
        require(a.k() >= 1, "k " + a.k() + " is below 1");
        in(0)
            .dim(axis)
            .fixed()
            .ifPresent(n -> require(a.k() <= n, "k " + a.k() + " exceeds the axis' length " + n));
        Shape shape = in(0).shape().with(axis, Dim.of(a.k()));
        yield List.of(new TensorType(in(0).dtype(), shape), new TensorType(DType.I64, shape));
      }
      case CUMSUM -> {
        arity(1, 1);
        numeric(0);
        axis(in(0), attr(Attributes.Axis.class).axis());
        yield like(0);
      }
      case EXPERTS -> experts();
    };
  }

  private List<TensorType> linear() {
    arity(2, 3);
    floating(0);
    minRank(0, 1);
    same(0, 1);
    rank(1, 2);
    require(
        in(1).dim(1).equals(in(0).dim(-1)),
        "weight " + in(1).shape() + " does not take rows of " + in(0).dim(-1));
    if (optional(2) != null) {
      same(0, 2);
      shape(2, new Shape(List.of(in(1).dim(0))));
    }
    return one(in(0).dtype(), in(0).shape().with(-1, in(1).dim(0)));
  }

  private List<TensorType> matmul() {
    arity(2, 2);
    floating(0);
    same(0, 1);
    minRank(0, 2);
    minRank(1, 2);
    Attributes.MatMul a = attr(Attributes.MatMul.class);
    Dim m = in(0).dim(a.transposeA() ? -1 : -2);
    Dim k = in(0).dim(a.transposeA() ? -2 : -1);
    Dim k2 = in(1).dim(a.transposeB() ? -1 : -2);
    Dim n = in(1).dim(a.transposeB() ? -2 : -1);
    require(k.equals(k2), "inner lengths " + k + " and " + k2 + " differ");
    List<Dim> dims = new ArrayList<>(broadcast(leading(in(0)), leading(in(1))).dims());
    dims.add(m);
    dims.add(n);
    return one(in(0).dtype(), new Shape(dims));
  }

  private static Shape leading(Value value) {
    return new Shape(value.shape().dims().subList(0, value.rank() - 2));
  }

  private List<TensorType> conv() {
    arity(2, 3);
    floating(0);
    same(0, 1);
    Conv a = attr(Conv.class);
    int spatial = in(0).rank() - 2;
    require(spatial >= 1 && spatial <= 3, "needs one to three spatial axes, has " + spatial);
    rank(1, in(0).rank());
    lists(spatial, a.strides(), a.dilations(), a.padBefore(), a.padAfter());
    long in = fixed(in(0).dim(1), "channels");
    long out = fixed(in(1).dim(0), "channels");
    require(
        a.groups() >= 1
            && in % a.groups() == 0
            && out % a.groups() == 0
            && in(1).dim(1).is(in / a.groups()),
        "weight "
            + in(1).shape()
            + " does not fit "
            + in
            + " channels in "
            + a.groups()
            + " groups");
    bias(2, out);
    List<Dim> dims = new ArrayList<>(List.of(in(0).dim(0), Dim.of(out)));
    for (int i = 0; i < spatial; i++) {
      require(
          a.strides().get(i) >= 1
              && a.dilations().get(i) >= 1
              && a.padBefore().get(i) >= 0
              && a.padAfter().get(i) >= 0,
          "strides, dilations or padding out of range: " + a);
      long kernel = fixed(in(1).dim(2 + i), "kernel");
      long reach = (kernel - 1) * a.dilations().get(i) + 1;
      Dim padded = in(0).dim(2 + i).plus(a.padBefore().get(i) + (long) a.padAfter().get(i));
      padded
          .fixed()
          .ifPresent(
              n -> require(n >= reach, "kernel reaches " + reach + ", the padded axis has " + n));
      dims.add(padded.plus(-reach).floorDiv(a.strides().get(i)).plus(1));
    }
    return one(in(0).dtype(), new Shape(dims));
  }

  private List<TensorType> convTranspose() {
    arity(2, 3);
    floating(0);
    same(0, 1);
    ConvTranspose a = attr(ConvTranspose.class);
    int spatial = in(0).rank() - 2;
    require(spatial >= 1 && spatial <= 3, "needs one to three spatial axes, has " + spatial);
    rank(1, in(0).rank());
    lists(spatial, a.strides(), a.padding(), a.outputPadding());
    long in = fixed(in(0).dim(1), "channels");
    require(
        a.groups() >= 1 && in % a.groups() == 0 && in(1).dim(0).is(in),
        "weight "
            + in(1).shape()
            + " does not fit "
            + in
            + " channels in "
            + a.groups()
            + " groups");
    long out = fixed(in(1).dim(1), "channels") * a.groups();
    bias(2, out);
    List<Dim> dims = new ArrayList<>(List.of(in(0).dim(0), Dim.of(out)));
    for (int i = 0; i < spatial; i++) {
      require(
          a.strides().get(i) >= 1
              && a.padding().get(i) >= 0
              && a.outputPadding().get(i) >= 0
              && a.outputPadding().get(i) < a.strides().get(i),
          "strides or padding out of range: " + a);
      long kernel = fixed(in(1).dim(2 + i), "kernel");
      dims.add(
          in(0)
              .dim(2 + i)
              .plus(-1)
              .times(a.strides().get(i))
              .plus(kernel - 2L * a.padding().get(i) + a.outputPadding().get(i)));
    }
    return one(in(0).dtype(), new Shape(dims));
  }

  private List<TensorType> attention() {
    arity(3, 5);
    Attention a = attr(Attention.class);
    floating(0);
    for (int i = 0; i < 3; i++) {
      rank(i, 3);
      same(0, i);
    }
    Dim d = headDim(0, a.heads(), a.kvHeads());
    require(
        in(1).dim(2).equals(d.times(a.kvHeads())),
        "key " + in(1).shape() + " is not " + a.kvHeads() + " heads of " + d);
    Dim dv = perHead(2, a.kvHeads());
    Dim batch = in(0).dim(0);
    Dim queries = in(0).dim(1);
    Dim keys = in(1).dim(1);
    require(
        in(1).dim(0).equals(batch) && in(2).dim(0).equals(batch) && in(2).dim(1).equals(keys),
        "query "
            + in(0).shape()
            + ", key "
            + in(1).shape()
            + " and value "
            + in(2).shape()
            + " do not belong together");
    require(a.window() >= 0 && (a.window() == 0 || a.causal()), "a window needs causal attention");
    Shape scores = new Shape(List.of(batch, Dim.of(a.heads()), queries, keys));
    if (optional(3) != null) {
      dtype(3, DType.BOOL);
      broadcastsTo(3, scores);
    }
    if (optional(4) != null) {
      same(0, 4);
      broadcastsTo(4, scores);
    }
    TensorType out =
        new TensorType(in(0).dtype(), new Shape(List.of(batch, queries, dv.times(a.heads()))));
    return a.probabilities() ? List.of(out, new TensorType(in(0).dtype(), scores)) : List.of(out);
  }

  private List<TensorType> cachedAttention() {
    arity(6, 7);
    CachedAttention a = attr(CachedAttention.class);
    floating(0);
    for (int i = 0; i < 3; i++) {
      rank(i, 3);
      same(0, i);
    }
    Dim d = headDim(0, a.heads(), a.kvHeads());
    Dim dv = perHead(2, a.kvHeads());
    Dim batch = in(0).dim(0);
    Dim s = in(0).dim(1);
    shape(1, new Shape(List.of(batch, s, d.times(a.kvHeads()))));
    require(
        in(2).dim(0).equals(batch) && in(2).dim(1).equals(s),
        "value " + in(2).shape() + " does not belong to query " + in(0).shape());
    rank(3, 4);
    same(0, 3);
    same(0, 4);
    Dim capacity = in(3).dim(2);
    Dim kv = Dim.of(a.kvHeads());
    shape(3, new Shape(List.of(batch, kv, capacity, d)));
    shape(4, new Shape(List.of(batch, kv, capacity, dv)));
    dtype(5, DType.I32);
    shape(5, new Shape(List.of(batch)));
    require(a.window() >= 0, "window " + a.window() + " is negative");
    if (optional(6) != null) {
      same(0, 6);
      broadcastsTo(6, new Shape(List.of(batch, Dim.of(a.heads()), s, capacity)));
    }
    return List.of(
        new TensorType(in(0).dtype(), new Shape(List.of(batch, s, dv.times(a.heads())))),
        in(3).type(),
        in(4).type());
  }

  private List<TensorType> rotary() {
    arity(3, 3);
    floating(0);
    rank(0, 3);
    same(0, 1);
    same(0, 2);
    int heads = attr(Attributes.Rotary.class).heads();
    Dim d = perHead(0, heads);
    shape(2, in(1).shape());
    require(in(1).rank() == 2 || in(1).rank() == 3, "cos " + in(1).shape() + " has a wrong rank");
    require(
        in(1).dim(-2).equals(in(0).dim(1)) && (in(1).rank() == 2 || sameOrOne(in(1).dim(0))),
        "cos " + in(1).shape() + " does not belong to " + in(0).shape());
    long half = fixed(in(1).dim(-1), "rotary length");
    require(2 * half <= fixed(d, "head size"), "cos turns " + 2 * half + " of " + d + " entries");
    return like(0);
  }

  private boolean sameOrOne(Dim batch) {
    return batch.is(1) || batch.equals(in(0).dim(0));
  }

  private List<TensorType> concat() {
    require(!inputs.isEmpty(), "needs at least one input");
    int axis = axis(in(0), attr(Attributes.Axis.class).axis());
    Dim length = in(0).dim(axis);
    for (int i = 1; i < inputs.size(); i++) {
      same(0, i);
      rank(i, in(0).rank());
      require(
          in(i).shape().with(axis, in(0).dim(axis)).equals(in(0).shape()),
          in(i).shape() + " and " + in(0).shape() + " differ off axis " + axis);
      length = length.plus(in(i).dim(axis));
    }
    return one(in(0).dtype(), in(0).shape().with(axis, length));
  }

  private List<TensorType> pad() {
    arity(1, 1);
    Pad a = attr(Pad.class);
    lists(in(0).rank(), a.before(), a.after());
    List<Dim> dims = new ArrayList<>();
    for (int i = 0; i < in(0).rank(); i++) {
      int before = a.before().get(i);
      int after = a.after().get(i);
      require(before >= 0 && after >= 0, "padding is negative: " + a);
      Dim dim = in(0).dim(i);
      if (a.mode() == Attributes.PadMode.REFLECT) {
        dim.fixed()
            .ifPresent(
                n -> require(before < n && after < n, "reflection reaches beyond an axis of " + n));
      }
      dims.add(dim.plus(before + (long) after));
    }
    return one(in(0).dtype(), new Shape(dims));
  }

  private List<TensorType> resize() {
    arity(1, 1);
    floating(0);
    Attributes.Resize a = attr(Attributes.Resize.class);
    int spatial = in(0).rank() - 2;
    require(
        spatial >= 1 && a.size().rank() == spatial,
        "size " + a.size() + " does not fit the spatial axes of " + in(0).shape());
    require(
        a.mode() != Attributes.ResizeMode.NEAREST || !(a.alignCorners() || a.antialias()),
        "nearest has neither aligned corners nor antialiasing");
    require(!(a.alignCorners() && a.antialias()), "aligned corners exclude antialiasing");
    require(
        a.mode() == Attributes.ResizeMode.NEAREST || spatial == 2,
        a.mode() + " needs two spatial axes, has " + spatial);
    List<Dim> dims = new ArrayList<>(in(0).shape().dims().subList(0, 2));
    dims.addAll(a.size().dims());
    return one(in(0).dtype(), new Shape(dims));
  }

  private List<TensorType> experts() {
    arity(5, 5);
    attr(Attributes.Experts.class);
    floating(0);
    rank(0, 2);
    for (int i = 1; i < 5; i++) {
      same(0, i);
    }
    rank(2, 3);
    Dim experts = in(2).dim(0);
    Dim hidden = in(2).dim(1);
    Dim d = in(0).dim(1);
    shape(1, new Shape(List.of(in(0).dim(0), experts)));
    shape(2, new Shape(List.of(experts, hidden, d)));
    shape(3, new Shape(List.of(experts, hidden, d)));
    shape(4, new Shape(List.of(experts, d, hidden)));
    return like(0);
  }

  // Checks.

  private void require(boolean holds, String message) {
    if (!holds) {
      throw new GraphException(name + " (" + op + "): " + message + "; inputs " + inputs);
    }
  }

  private void arity(int min, int max) {
    require(
        inputs.size() >= min && inputs.size() <= max,
        "has " + inputs.size() + " inputs, takes " + (min == max ? "" + min : min + " to " + max));
    for (int i = 0; i < min; i++) {
      require(inputs.get(i) != null, "input " + i + " is absent");
    }
  }

  private Value in(int index) {
    Value value = optional(index);
    if (value == null) {
      throw new GraphException(name + " (" + op + "): input " + index + " is absent");
    }
    return value;
  }

  private @Nullable Value optional(int index) {
    return index < inputs.size() ? inputs.get(index) : null;
  }

  private <T extends Attributes> T attr(Class<T> type) {
    require(type.isInstance(attributes), "needs " + type.getSimpleName() + ", has " + attributes);
    return type.cast(attributes);
  }

  private void numeric(int index) {
    DType type = in(index).dtype();
    require(type.isFloat() || type.isInteger(), "input " + index + " must be numeric");
  }

  private void floating(int index) {
    require(in(index).dtype().isFloat(), "input " + index + " must be floating point");
  }

  private void integer(int index) {
    DType type = in(index).dtype();
    require(type == DType.I32 || type == DType.I64, "input " + index + " must be I32 or I64");
  }

  private void dtype(int index, DType type) {
    require(in(index).dtype() == type, "input " + index + " must be " + type);
  }

  private void same(int first, int second) {
    require(
        in(first).dtype() == in(second).dtype(),
        "inputs " + first + " and " + second + " must have one element type");
  }

  private void rank(int index, int rank) {
    require(in(index).rank() == rank, "input " + index + " must have " + rank + " axes");
  }

  private void minRank(int index, int rank) {
    require(in(index).rank() >= rank, "input " + index + " must have at least " + rank + " axes");
  }

  private void shape(int index, Shape shape) {
    require(in(index).shape().equals(shape), "input " + index + " must have shape " + shape);
  }

  private void bias(int index, long channels) {
    if (optional(index) != null) {
      same(0, index);
      shape(index, Shape.ofFixed(channels));
    }
  }

  private int axis(Value value, int axis) {
    require(
        axis >= 0 && axis < value.rank(), "axis " + axis + " does not exist in " + value.shape());
    return axis;
  }

  private long fixed(Dim dim, String what) {
    OptionalLong fixed = dim.fixed();
    require(fixed.isPresent(), what + " must be a fixed length, is " + dim);
    return fixed.orElseThrow();
  }

  private Dim perHead(int index, int heads) {
    require(heads >= 1, heads + " heads");
    long width = fixed(in(index).dim(-1), "width of input " + index);
    require(width % heads == 0, "width " + width + " is not a multiple of " + heads + " heads");
    return Dim.of(width / heads);
  }

  private Dim headDim(int index, int heads, int kvHeads) {
    require(
        kvHeads >= 1 && heads % kvHeads == 0,
        heads + " heads are not a multiple of " + kvHeads + " key and value heads");
    return perHead(index, heads);
  }

  @SafeVarargs
  private void lists(int size, List<Integer>... lists) {
    for (List<Integer> list : lists) {
      require(list.size() == size, "needs " + size + " entries for each axis list: " + attributes);
    }
  }

  private void inRange(Dim index, Dim length, String what) {
    OptionalLong i = index.fixed();
    OptionalLong n = length.fixed();
    require(i.isEmpty() || i.getAsLong() >= 0, what + " " + index + " is negative");
    require(
        i.isEmpty() || n.isEmpty() || i.getAsLong() <= n.getAsLong(),
        what + " " + index + " exceeds the axis' length " + length);
  }

  private void broadcastsTo(int index, Shape target) {
    require(
        in(index).rank() <= target.rank() && broadcast(in(index).shape(), target).equals(target),
        "input " + index + " must broadcast to " + target);
  }

  private Shape broadcast(Shape a, Shape b) {
    int rank = Math.max(a.rank(), b.rank());
    List<Dim> dims = new ArrayList<>(rank);
    for (int i = 0; i < rank; i++) {
      int ia = i - rank + a.rank();
      int ib = i - rank + b.rank();
      if (ia < 0 || ib < 0) {
        dims.add(ia < 0 ? b.dims().get(ib) : a.dims().get(ia));
        continue;
      }
      Dim da = a.dims().get(ia);
      Dim db = b.dims().get(ib);
      require(
          da.equals(db) || da.is(1) || db.is(1), a + " and " + b + " do not broadcast together");
      dims.add(da.is(1) ? db : da);
    }
    return new Shape(dims);
  }

  private static Shape reduced(Shape shape, List<Integer> axes, boolean keepDims) {
    List<Dim> dims = new ArrayList<>();
    for (int i = 0; i < shape.rank(); i++) {
      if (!axes.contains(i)) {
        dims.add(shape.dims().get(i));
      } else if (keepDims) {
        dims.add(Dim.of(1));
      }
    }
    return new Shape(dims);
  }

  private List<TensorType> like(int index) {
    return List.of(in(index).type());
  }

  private static List<TensorType> one(DType dtype, Shape shape) {
    return List.of(new TensorType(dtype, shape));
  }
}
