package dev.lmm.core.engine.contract;

import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The goldens that {@code reference/op_goldens.py} made with torch. */
public final class OpGoldens implements AutoCloseable {
  private final CheckpointWeights tensors;
  private final List<Json> cases;

  /**
   * Reads the goldens.
   *
   * @param folder to unpack into
   */
  public OpGoldens(Path folder) throws IOException {
    Path file = folder.resolve("ops.safetensors");
    Path json = folder.resolve("ops.json");
    copy("/golden/ops.safetensors", file);
    copy("/golden/ops.json", json);
    this.tensors = CheckpointWeights.ofSafetensors("op goldens", List.of(file));
    this.cases = Json.parse(json).at("cases").elements();
  }

  private static void copy(String resource, Path to) throws IOException {
    try (InputStream in = Objects.requireNonNull(OpGoldens.class.getResourceAsStream(resource))) {
      Files.copy(in, to);
    }
  }

  /** All cases. */
  public List<Json> cases() {
    return cases;
  }

  /** Where weights of a graph made with {@code asWeights} lie. */
  public CheckpointWeights weights() {
    return tensors;
  }

  /**
   * The graph of one case.
   *
   * @param golden the case
   * @param asWeights whether floating point inputs after the first are weights
   * @return a graph of one node
   */
  public Graph graph(Json golden, boolean asWeights) {
    GraphBuilder g =
        new GraphBuilder(golden.stringAt("name"), new WeightUsage(tensors, "the golden"));
    List<@Nullable Value> inputs = new ArrayList<>();
    for (String key : keys(golden, "inputs")) {
      if (key.isEmpty()) {
        inputs.add(null);
        continue;
      }
      DType dtype = tensors.locate(key).dtype();
      long[] shape = tensors.locate(key).shape();
      inputs.add(
          asWeights && dtype == DType.F32 && !inputs.isEmpty()
              ? g.weight(key, shape)
              : g.input(key, dtype, Arrays.stream(shape).boxed().toArray()));
    }
    while (inputs.size() < 7) {
      inputs.add(null);
    }
    List<Value> results =
        results(g, Op.valueOf(golden.stringAt("op")), golden.at("attributes"), inputs);
    List<String> outputs = keys(golden, "outputs");
    for (int i = 0; i < outputs.size(); i++) {
      g.output(outputs.get(i), results.get(i));
    }
    return g.build();
  }

  /** What a run of a case's graph is given. */
  public Map<String, Tensor> inputs(Graph graph) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    graph.inputs().forEach(input -> inputs.put(input.name(), tensor(input.name())));
    return inputs;
  }

  /** What it must give. */
  public Map<String, Tensor> outputs(Json golden) {
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    keys(golden, "outputs").forEach(key -> outputs.put(key, tensor(key)));
    return outputs;
  }

  private static List<String> keys(Json golden, String field) {
    return golden.at(field).elements().stream().map(Json::string).toList();
  }

  /** One tensor. */
  public Tensor tensor(String key) {
    var stored = tensors.locate(key);
    Tensor tensor = Tensor.zeros(stored.dtype(), stored.shape());
    tensor.data().put(tensors.map(key, 0, Math.toIntExact(stored.length())));
    return tensor;
  }

  private static List<Value> results(GraphBuilder g, Op op, Json a, List<@Nullable Value> inputs) {
    Value x = Objects.requireNonNull(inputs.get(0));
    Value y = inputs.get(1);
    Value z = inputs.get(2);
    return switch (op) {
      case ATTENTION ->
          g.attention(
              x,
              Objects.requireNonNull(y),
              Objects.requireNonNull(z),
              inputs.get(3),
              inputs.get(4),
              new Attributes.Attention(
                  a.intAt("heads"),
                  a.intAt("kvHeads"),
                  a.doubleAt("scale"),
                  a.boolAt("causal"),
                  a.intAt("window"),
                  a.boolAt("probabilities")));
      case TOP_K -> g.topK(x, a.intAt("axis"), a.intAt("k"));
      case CONCAT ->
          List.of(
              g.concat(
                  a.intAt("axis"), inputs.stream().filter(Objects::nonNull).toArray(Value[]::new)));
      case CLAMP -> List.of(g.clamp(x, a.doubleAt("min"), a.doubleAt("max")));
      case CAST -> List.of(g.cast(x, DType.valueOf(a.stringAt("dtype"))));
      case LAYER_NORM -> List.of(g.layerNorm(x, y, z, a.doubleAt("epsilon")));
      case RMS_NORM -> List.of(g.rmsNorm(x, y, a.doubleAt("epsilon")));
      case GROUP_NORM -> List.of(g.groupNorm(x, a.intAt("groups"), y, z, a.doubleAt("epsilon")));
      case SOFTMAX -> List.of(g.softmax(x, a.intAt("axis")));
      case LOG_SOFTMAX -> List.of(g.logSoftmax(x, a.intAt("axis")));
      case RESHAPE -> List.of(g.reshape(x, boxed(a.at("shape"))));
      case TRANSPOSE -> List.of(g.transpose(x, a.at("permutation").ints()));
      case EXPAND -> List.of(g.expand(x, boxed(a.at("shape"))));
      case SLICE ->
          List.of(
              g.slice(
                  x,
                  new Attributes.Slice(
                      a.intAt("axis"),
                      Dim.of(a.longAt("start")),
                      Dim.of(a.longAt("end")),
                      a.intAt("step"))));
      case PAD ->
          List.of(
              g.pad(
                  x,
                  new Attributes.Pad(
                      list(a.at("before")),
                      list(a.at("after")),
                      Attributes.PadMode.valueOf(a.stringAt("mode")),
                      a.doubleAt("value"))));
      case RESIZE ->
          List.of(
              g.resize(
                  x,
                  new Attributes.Resize(
                      Shape.of(boxed(a.at("size"))),
                      Attributes.ResizeMode.valueOf(a.stringAt("mode")),
                      a.boolAt("alignCorners"),
                      a.boolAt("antialias"))));
      case REDUCE_SUM, REDUCE_MEAN, REDUCE_MAX, REDUCE_MIN ->
          List.of(g.reduce(op, x, a.boolAt("keepDims"), a.at("axes").ints()));
      case ARGMAX -> {
        Value index = g.argMax(x, a.intAt("axis"));
        yield List.of(
            a.boolAt("keepDims")
                ? g.reshape(index, x.shape().with(a.intAt("axis"), Dim.of(1)).dims().toArray())
                : index);
      }
      case CUMSUM -> List.of(g.cumsum(x, a.intAt("axis")));
      default -> y == null ? List.of(g.unary(op, x)) : severalInputs(g, op, a, x, y, inputs);
    };
  }

  private static List<Value> severalInputs(
      GraphBuilder g, Op op, Json a, Value x, Value y, List<@Nullable Value> inputs) {
    Value z = inputs.get(2);
    return switch (op) {
      case WHERE -> List.of(g.where(x, y, Objects.requireNonNull(z)));
      case LINEAR -> List.of(g.linear(x, y, z));
      case MATMUL -> List.of(g.matmul(x, y, a.boolAt("transposeA"), a.boolAt("transposeB")));
      case EMBEDDING -> List.of(g.embedding(x, y));
      case CONV ->
          List.of(
              g.conv(
                  x,
                  y,
                  z,
                  new Attributes.Conv(
                      list(a.at("strides")),
                      list(a.at("dilations")),
                      list(a.at("padBefore")),
                      list(a.at("padAfter")),
                      a.intAt("groups"))));
      case CONV_TRANSPOSE ->
          List.of(
              g.convTranspose(
                  x,
                  y,
                  z,
                  new Attributes.ConvTranspose(
                      list(a.at("strides")),
                      list(a.at("padding")),
                      list(a.at("outputPadding")),
                      a.intAt("groups"))));
      case ROTARY ->
          List.of(
              g.rotary(x, y, Objects.requireNonNull(z), a.intAt("heads"), a.boolAt("interleaved")));
      case GATHER -> List.of(g.gather(x, y, a.intAt("axis")));
      case GATHER_ELEMENTS -> List.of(g.gatherElements(x, y, a.intAt("axis")));
      case SCATTER_ROWS -> List.of(g.scatterRows(x, y, Objects.requireNonNull(z)));
      case EXPERTS ->
          List.of(
              g.experts(
                  x,
                  y,
                  Objects.requireNonNull(z),
                  Objects.requireNonNull(inputs.get(3)),
                  Objects.requireNonNull(inputs.get(4)),
                  Attributes.Activation.valueOf(a.stringAt("activation"))));
      default -> List.of(g.binary(op, x, y));
    };
  }

  private static Object[] boxed(Json list) {
    return list(list).toArray();
  }

  private static List<Integer> list(Json list) {
    return Arrays.stream(list.ints()).boxed().toList();
  }

  @Override
  public void close() {
    tensors.close();
  }
}
