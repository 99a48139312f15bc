package dev.lmm.onnx.internal;

import dev.lmm.EngineException;
import dev.lmm.core.graph.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An ONNX model being written. Field numbers are those of onnx.proto. */
final class OnnxModel {
  /** Operators of ONNX Runtime beyond the standard. */
  static final String MICROSOFT = "com.microsoft";

  private static final String STANDARD = "";
  private static final int IR_VERSION = 10;
  private static final int OPSET = 23;

  private final String name;
  private final List<Proto> nodes = new ArrayList<>();
  private final List<Proto> initializers = new ArrayList<>();
  private final List<Proto> inputs = new ArrayList<>();
  private final List<Proto> outputs = new ArrayList<>();
  private final Map<String, Integer> names = new HashMap<>();

  OnnxModel(String name) {
    this.name = name;
  }

  /** A name nothing else in the model has. */
  String unique(String wanted) {
    int count = names.merge(wanted, 1, Integer::sum);
    return count == 1 ? wanted : unique(wanted + "_" + count);
  }

  /**
   * Adds a node.
   *
   * @param path the graph node it stands for; error messages of the runtime show it
   * @param domain empty for the standard operators
   * @param op ONNX operator
   * @param inputs names; null for an absent optional one
   * @param outputs names; empty for an unwanted one
   * @param attributes the attributes
   */
  void node(
      String path,
      String domain,
      String op,
      List<@Nullable String> inputs,
      List<String> outputs,
      Attr... attributes) {
    Proto node = new Proto();
    int given = inputs.size();
    while (given > 0 && inputs.get(given - 1) == null) {
      // The runtime's optimiser crashes on some absent inputs that are named all the same.
      given--;
    }
    for (String input : inputs.subList(0, given)) {
      node.text(1, input == null ? "" : input);
    }
    outputs.forEach(output -> node.text(2, output));
    node.text(3, unique(path));
    node.text(4, op);
    for (Attr attribute : attributes) {
      node.message(5, attribute.body());
    }
    if (!domain.equals(STANDARD)) {
      node.text(7, domain);
    }
    nodes.add(node);
  }

  /** Adds a value given by every run; a null length may be any. */
  void input(String name, DType type, List<@Nullable Long> shape) {
    inputs.add(valueInfo(name, type, shape));
  }

  /** Adds a result. */
  void output(String name, DType type, List<@Nullable Long> shape) {
    outputs.add(valueInfo(name, type, shape));
  }

  private static Proto valueInfo(String name, DType type, List<@Nullable Long> shape) {
    Proto dims = new Proto();
    for (Long length : shape) {
      Proto dim = new Proto();
      if (length != null) {
        dim.number(1, length);
      }
      dims.message(1, dim);
    }
    Proto tensor = new Proto().number(1, code(type)).message(2, dims);
    return new Proto().text(1, name).message(2, new Proto().message(1, tensor));
  }

  /** Adds data that is kept in the model. The bytes are little-endian. */
  void initializer(String name, DType type, long[] shape, ByteBuffer data) {
    initializers.add(tensor(name, type, shape).bytes(9, data));
  }

  /** Adds data that stays in a file. */
  void external(String name, DType type, long[] shape, String location, long offset, long length) {
    Proto tensor = tensor(name, type, shape);
    tensor.message(13, entry("location", location));
    tensor.message(13, entry("offset", Long.toString(offset)));
    tensor.message(13, entry("length", Long.toString(length)));
    tensor.number(14, 1);
    initializers.add(tensor);
  }

  private static Proto entry(String key, String value) {
    return new Proto().text(1, key).text(2, value);
  }

  private static Proto tensor(String name, DType type, long[] shape) {
    Proto tensor = new Proto();
    for (long length : shape) {
      tensor.number(1, length);
    }
    return tensor.number(2, code(type)).text(8, name);
  }

  /** Integers in the model. */
  String longs(String wanted, long[] shape, long... values) {
    ByteBuffer data = ByteBuffer.allocate(values.length * 8).order(ByteOrder.LITTLE_ENDIAN);
    data.asLongBuffer().put(values);
    String unique = unique(wanted);
    initializer(unique, DType.I64, shape, data);
    return unique;
  }

  /** Single precision numbers in the model. */
  String floats(String wanted, long[] shape, float... values) {
    ByteBuffer data = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(values);
    String unique = unique(wanted);
    initializer(unique, DType.F32, shape, data);
    return unique;
  }

  byte[] toBytes() {
    Proto graph = new Proto();
    nodes.forEach(node -> graph.message(1, node));
    graph.text(2, name);
    initializers.forEach(initializer -> graph.message(5, initializer));
    inputs.forEach(input -> graph.message(11, input));
    outputs.forEach(output -> graph.message(12, output));
    return new Proto()
        .number(1, IR_VERSION)
        .text(2, "lmm")
        .message(7, graph)
        .message(8, new Proto().text(1, STANDARD).number(2, OPSET))
        .message(8, new Proto().text(1, MICROSOFT).number(2, 1))
        .toBytes();
  }

  /** The number ONNX gives an element type. */
  static int code(DType type) {
    return switch (type) {
      case F32 -> 1;
      case U8 -> 2;
      case I8 -> 3;
      case U16 -> 4;
      case I16 -> 5;
      case I32 -> 6;
      case I64 -> 7;
      case BOOL -> 9;
      case F16 -> 10;
      case F64 -> 11;
      case U32 -> 12;
      case U64 -> 13;
      case BF16 -> 16;
      case F8_E4M3 -> 17;
      case F8_E5M2 -> 19;
      default -> throw new EngineException("ONNX has no element type " + type);
    };
  }
}
