package dev.lmm.onnx.internal;

import dev.lmm.EngineException;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightRef;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Writes a graph as an ONNX model. This class keeps the names and brings in what comes from
 * outside; the operators are in one class for each kind. Floating point values are F32 throughout,
 * whatever the graph's type: the processor has kernels for nothing else.
 */
final class Lowering {
  /** Names of states in the model: as a run finds them. */
  static final String STATE = "state:";

  /** Names of states in the model: as a run leaves them. */
  static final String NEXT = "next:";

  /** Names of outputs in the model, which may equal names of other values. */
  static final String OUTPUT = "output:";

  /** Weights up to this size are copied into the model: mapping a file for each costs more. */
  private static final long INLINE_BYTES = 8 * 1024;

  private final Graph graph;
  private final WeightStore weights;
  private final OnnxModel model;
  private final Lengths lengths;
  private final Uses uses;
  private final Fusions fusions;
  private final Map<Value, String> names = new HashMap<>();
  private final Map<String, String> shared = new HashMap<>();
  private @Nullable String folder;
  private boolean quantized;

  private Lowering(Graph graph, WeightStore weights) {
    this.graph = graph;
    this.weights = weights;
    this.model = new OnnxModel(graph.name());
    this.lengths = new Lengths(graph, model);
    this.uses = new Uses(graph);
    this.fusions = new Fusions(uses, weights);
  }

  /**
   * A model ready for the runtime.
   *
   * @param bytes the model
   * @param folder what the locations of its weights are relative to, or null if it has none
   * @param quantized whether some weights are in few bits
   */
  @SuppressWarnings("ArrayRecordComponent") // a carrier, never compared
  record Result(byte[] bytes, @Nullable String folder, boolean quantized) {}

  static Result lower(Graph graph, WeightStore weights) {
    return new Lowering(graph, weights).run();
  }

  private Result run() {
    // Reserved first, so that nothing else takes the names the runs use.
    graph.inputs().forEach(v -> model.unique(v.name()));
    graph.inputs().forEach(v -> outside(v, outsideName(v)));
    graph.states().keySet().forEach(v -> outside(v, model.unique(outsideName(v))));
    for (Value constant : graph.constants()) {
      constant(constant);
    }
    for (Node node : graph.nodes()) {
      try {
        lower(node);
      } catch (EngineException e) {
        throw new EngineException(node.name() + " (" + node.op() + "): " + e.getMessage(), e);
      }
    }
    graph.outputs().forEach((name, value) -> result(OUTPUT + name, value));
    graph
        .states()
        .forEach(
            (state, next) -> {
              if (state != next) {
                result(NEXT + state.name(), next);
              }
            });
    return new Result(model.toBytes(), folder, quantized);
  }

  private void lower(Node node) {
    if (fusions.isSpared(node)) {
      return;
    }
    List<String> results =
        switch (node.op()) {
          case ADD, SUB, MUL, DIV, POW, MINIMUM, MAXIMUM -> Elementwise.binary(this, node);
          case EQUAL, LESS, LESS_OR_EQUAL, AND, OR -> Elementwise.binary(this, node);
          case NOT, NEG, ABS, EXP, LOG, SIN, COS, TANH -> Elementwise.unary(this, node);
          case SQRT, RSQRT, FLOOR, ERF, SIGMOID, RELU -> Elementwise.unary(this, node);
          case SILU, GELU, GELU_TANH, QUICK_GELU -> Elementwise.unary(this, node);
          case CLAMP, CAST, WHERE -> Elementwise.other(this, node);
          case LINEAR, MATMUL, EMBEDDING, EXPERTS -> Products.lower(this, node);
          case CONV, CONV_TRANSPOSE, RESIZE -> Spatial.lower(this, node);
          case LAYER_NORM, RMS_NORM, GROUP_NORM -> Norms.lower(this, node);
          case SOFTMAX, LOG_SOFTMAX -> Norms.lower(this, node);
          case ATTENTION -> Attentions.lower(this, node);
          case CACHED_ATTENTION -> CachedAttentions.lower(this, node);
          case ROTARY -> Rotary.lower(this, node);
          case RESHAPE, TRANSPOSE, EXPAND, CONCAT, SLICE, PAD -> Shapes.lower(this, node);
          case GATHER, GATHER_ELEMENTS, SCATTER_ROWS -> Indexing.lower(this, node);
          case REDUCE_SUM, REDUCE_MEAN, REDUCE_MAX, REDUCE_MIN -> Reductions.lower(this, node);
          case ARGMAX, TOP_K, CUMSUM -> Reductions.lower(this, node);
        };
    for (int i = 0; i < results.size(); i++) {
      names.put(node.outputs().get(i), results.get(i));
    }
  }

  // Values.

  Graph graph() {
    return graph;
  }

  Lengths lengths() {
    return lengths;
  }

  Uses uses() {
    return uses;
  }

  Fusions fusions() {
    return fusions;
  }

  OnnxModel model() {
    return model;
  }

  /** The name of a value that is there; floating point ones are F32. */
  String of(Value value) {
    String name = names.get(value);
    if (name == null) {
      if (value.kind() != Value.Kind.WEIGHT) {
        throw new EngineException(value + " is not there yet");
      }
      name = weight(value);
      names.put(value, name);
    }
    return name;
  }

  @Nullable String ofOptional(@Nullable Value value) {
    return value == null ? null : of(value);
  }

  /** The name of a value if something has computed it already. */
  @Nullable String bound(Value value) {
    return names.get(value);
  }

  /**
   * The name to give a value that a state may become: the state's own, so that the runtime writes
   * where the state lies.
   */
  String nextName(Value value) {
    for (Map.Entry<Value, Value> entry : graph.states().entrySet()) {
      if (entry.getValue() == value
          && CachedAttentions.inPlace(uses, entry.getKey(), entry.getValue())) {
        return NEXT + entry.getKey().name();
      }
    }
    return model.unique(value.name());
  }

  /** Gives a value that a fused operator computed on the side its name. */
  void bind(Value value, String name) {
    names.put(value, name);
  }

  /** The type a value has in the model. */
  static DType computed(DType type) {
    return type.isFloat() ? DType.F32 : type;
  }

  /** What the model calls an input or a state. */
  static String outsideName(Value value) {
    return value.kind() == Value.Kind.STATE ? STATE + value.name() : value.name();
  }

  private void outside(Value value, String name) {
    model.input(name, value.dtype(), declared(value.shape()));
    names.put(value, toComputed(name, value.dtype()));
  }

  private String toComputed(String name, DType type) {
    return computed(type) == type ? name : cast(name, name, computed(type));
  }

  private void result(String name, Value value) {
    String from = of(value);
    model.output(name, value.dtype(), declared(value.shape()));
    if (from.equals(name)) {
      return;
    }
    if (computed(value.dtype()) == value.dtype()) {
      model.node(name, "", "Identity", List.of(from), List.of(name));
    } else {
      Attr to = Attr.of("to", OnnxModel.code(value.dtype()));
      model.node(name, "", "Cast", List.of(from), List.of(name), to);
    }
  }

  private static List<@Nullable Long> declared(Shape shape) {
    List<@Nullable Long> lengths = new ArrayList<>();
    for (Dim dim : shape.dims()) {
      OptionalLong fixed = dim.fixed();
      lengths.add(fixed.isPresent() ? fixed.getAsLong() : null);
    }
    return lengths;
  }

  private void constant(Value value) {
    String name = model.unique(value.name());
    model.initializer(name, value.dtype(), value.shape().fixed(), littleEndian(value));
    names.put(value, toComputed(name, value.dtype()));
  }

  private static ByteBuffer littleEndian(Value value) {
    ByteBuffer data = value.data();
    if (data.order() != java.nio.ByteOrder.LITTLE_ENDIAN) {
      throw new EngineException("ONNX Runtime needs a little-endian machine");
    }
    return data;
  }

  private String weight(Value value) {
    WeightRef ref = value.weight();
    StoredTensor stored = weights.locate(ref.name());
    String name = stored(value, ref, stored, ref.view());
    if (ref.transpose()) {
      name = op(value.name(), "Transpose", List.of(name));
      if (ref.view().length != 2
          || ref.view()[0] != ref.rowElements()
          || ref.view()[1] != ref.rows()) {
        name = op(value.name(), "Reshape", in(name, lengths.vector(value.shape())));
      }
    }
    return stored.dtype() == DType.F32 ? name : cast(value.name(), name, DType.F32);
  }

  /** A weight under another shape. */
  String weightAs(Value value, long... shape) {
    WeightRef ref = value.weight();
    StoredTensor stored = weights.locate(ref.name());
    return stored.dtype() == DType.F32 && !ref.transpose()
        ? stored(value, ref, stored, shape)
        : op(value.name(), "Reshape", in(of(value), longs(shape)));
  }

  /**
   * The weight as it lies in the file, in the file's type, under a shape; one that is to be
   * transposed under the file's own.
   */
  private String stored(Value value, WeightRef ref, StoredTensor stored, long[] view) {
    long[] shape = ref.transpose() ? new long[] {ref.rows(), ref.rowElements()} : view;
    long width = stored.dtype().bytes();
    long start = ref.rowStart() * ref.rowElements() * width;
    long length = ref.elements() * width;
    return length <= INLINE_BYTES
        ? inline(value.name(), stored.dtype(), shape, weights.map(ref.name(), start, (int) length))
        : external(value.name(), stored, shape, start, length);
  }

  private String inline(String path, DType type, long[] shape, ByteBuffer data) {
    String name = model.unique(path);
    model.initializer(name, type, shape, data);
    return name;
  }

  private String external(String path, StoredTensor stored, long[] shape, long start, long length) {
    String name = model.unique(path);
    String root = ExternalFiles.folder(stored.file());
    if (folder != null && !folder.equals(root)) {
      throw new EngineException(
          stored.file()
              + ": lies below "
              + root
              + ", other weights below "
              + folder
              + "; all files of a checkpoint, and the cache for quantized weights, must be on one"
              + " drive (LMM_CACHE names the cache)");
    }
    folder = root;
    String location = ExternalFiles.location(stored.file());
    model.external(name, stored.dtype(), shape, location, stored.offset() + start, length);
    return name;
  }

  /** The form in few bits in which a linear layer is to read a weight, or null. */
  @Nullable QuantizedTensor quantized(Value weight) {
    QuantizedTensor found =
        weight.kind() == Value.Kind.WEIGHT ? weights.quantized(weight.weight()) : null;
    quantized |= found != null;
    return found;
  }

  /** Codes, scales or zero points of a quantized weight, under a shape. */
  String piece(String path, StoredTensor piece, long... shape) {
    return piece.length() <= INLINE_BYTES
        ? inline(path, piece.dtype(), shape, weights.map(piece, 0, (int) piece.length()))
        : external(path, piece, shape, 0, piece.length());
  }

  /**
   * A table whose rows are looked up: kept in the file's own type, so that only what is read is
   * converted. Null if the weight is no plain range of a file.
   */
  @Nullable StoredTable table(Value value) {
    if (value.kind() != Value.Kind.WEIGHT || names.containsKey(value)) {
      return null;
    }
    WeightRef ref = value.weight();
    StoredTensor stored = weights.locate(ref.name());
    if (stored.dtype() == DType.F32 || ref.transpose()) {
      return null;
    }
    String name = stored(value, ref, stored, ref.view());
    return new StoredTable(name);
  }

  /** The name of a table in its file's type. */
  record StoredTable(String name) {}

  // Nodes.

  /** Inputs of a node; null for an absent one. */
  static List<@Nullable String> in(@Nullable String... inputs) {
    return Arrays.asList(inputs);
  }

  /** Adds a standard operator with one result. */
  String op(String path, String type, List<@Nullable String> inputs, Attr... attributes) {
    return node(path, "", type, inputs, attributes);
  }

  /** Adds one of ONNX Runtime's own operators, with one result. */
  String microsoft(String path, String type, List<@Nullable String> inputs, Attr... attributes) {
    return node(path, OnnxModel.MICROSOFT, type, inputs, attributes);
  }

  private String node(
      String path, String domain, String type, List<@Nullable String> inputs, Attr... attributes) {
    String name = model.unique(path + "/" + type);
    model.node(path, domain, type, inputs, List.of(name), attributes);
    return name;
  }

  String cast(String path, String value, DType type) {
    return op(path, "Cast", List.of(value), Attr.of("to", OnnxModel.code(type)));
  }

  /** Transposes. */
  String transpose(String path, String value, Integer... permutation) {
    return op(path, "Transpose", List.of(value), Attr.of("perm", List.of(permutation)));
  }

  /** Brings a value of one shape under another. */
  String reshape(String path, String value, Shape from, Shape to) {
    if (from.equals(to)) {
      return value;
    }
    // 0 copies the input's length at the same place, -1 is what is left; both are free. Where they
    // do not suffice (or could be ambiguous for empty values), lengths are computed.
    List<Dim> target = new ArrayList<>();
    int unknown = 0;
    boolean copies = false;
    for (int i = 0; i < to.rank(); i++) {
      Dim dim = to.dim(i);
      if (dim.isFixed()) {
        target.add(dim);
      } else if (i < from.rank() && from.dim(i).equals(dim)) {
        target.add(Dim.of(0));
        copies = true;
      } else {
        target.add(Dim.of(-1));
        unknown++;
      }
    }
    boolean empty = to.dims().stream().anyMatch(dim -> dim.is(0));
    if (empty || unknown > 1 || (unknown == 1 && copies)) {
      Attr allowZero = Attr.of("allowzero", 1L);
      return op(path, "Reshape", in(value, lengths.vector(to)), allowZero);
    }
    return op(path, "Reshape", in(value, lengths.vector(target)));
  }

  /** What several nodes need alike, computed at its first use. */
  String shared(String key, Supplier<String> make) {
    String known = shared.get(key);
    if (known == null) {
      known = make.get();
      shared.put(key, known);
    }
    return known;
  }

  /** A number, F32. */
  String scalar(double value) {
    return shared("f32 " + value, () -> model.floats("number", new long[0], (float) value));
  }

  /** Integers, I64. */
  String longs(long... values) {
    return shared(
        "i64 " + Arrays.toString(values),
        () -> model.longs("numbers", new long[] {values.length}, values));
  }

  /** An integer, I64 scalar. */
  String integer(long value) {
    return shared("i64 " + value, () -> model.longs("number", new long[0], value));
  }

  /** A vector of one number, F32 [length]. */
  String filled(Dim length, float value) {
    return shared(
        "filled " + length + " " + value,
        () -> {
          OptionalLong fixed = length.fixed();
          if (fixed.isPresent()) {
            float[] data = new float[Math.toIntExact(fixed.getAsLong())];
            Arrays.fill(data, value);
            return model.floats("filled", new long[] {data.length}, data);
          }
          return op("filled", "Expand", in(scalar(value), lengths.one(length)));
        });
  }

  /** Signed bytes of zero. */
  String byteZeros(String path, long length) {
    ByteBuffer zeros = ByteBuffer.allocate(Math.toIntExact(length));
    return inline(path, DType.I8, new long[] {length}, zeros);
  }

  /** Whether a node is of one operator. */
  static boolean is(@Nullable Node node, Op op) {
    return node != null && node.op() == op;
  }
}
