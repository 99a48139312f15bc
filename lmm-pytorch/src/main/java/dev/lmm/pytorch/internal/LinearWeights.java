package dev.lmm.pytorch.internal;

import dev.lmm.Precision;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.QuantizedTensor.Layout;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * In which form each weight is handed to the script. What is read by a linear layer and is in few
 * bits has a place in a list of its own; the rest, and a weight that something else reads too, is a
 * tensor of the checkpoint.
 */
final class LinearWeights {
  /** How many bytes of blocks the packed kernel takes. */
  private static final Set<Integer> BLOCKS = Set.of(32, 64, 128, 256);

  /** Its rows come in groups of this many. */
  private static final int ROWS = 16;

  /** How a weight in few bits is multiplied. */
  enum Kernel {
    /** 8 bits, a scale for each output; the activations of a product share a scale. */
    DYNAMIC,
    /** 4 bits in blocks, activations in bfloat16. */
    BLOCKS_OF_4,
    /** Unpacked to single precision when it is loaded, for there is no kernel. */
    UNPACKED
  }

  /**
   * A weight in few bits.
   *
   * @param kernel how it is multiplied
   * @param tensor the codes
   * @param place of its handles among those of its kernel
   */
  record Few(Kernel kernel, QuantizedTensor tensor, int place) {}

  private final Map<Value, Few> few = new LinkedHashMap<>();
  private final Map<Value, Integer> orders = new LinkedHashMap<>();
  private final Set<Value> plain = new LinkedHashSet<>();
  private final Set<Value> halved = new LinkedHashSet<>();
  private final int half;

  LinearWeights(Graph graph, WeightStore store, Precision precision) {
    half = halfOf(precision);
    Map<Kernel, Integer> places = new LinkedHashMap<>();
    Set<Value> multiplied = new LinkedHashSet<>();
    Set<Value> otherwise = new LinkedHashSet<>(graph.outputs().values());
    for (Node node : graph.nodes()) {
      for (int i = 0; i < node.inputs().size(); i++) {
        Value input = node.optionalInput(i);
        if (input == null || input.kind() != Value.Kind.WEIGHT) {
          continue;
        }
        boolean linear = node.op() == Op.LINEAR && i == 1;
        QuantizedTensor tensor = linear ? store.quantized(input.weight()) : null;
        if (tensor != null) {
          Kernel kernel = kernel(tensor);
          few.computeIfAbsent(
              input, v -> new Few(kernel, tensor, places.merge(kernel, 1, Integer::sum) - 1));
          if (tensor.order() != null) {
            orders.putIfAbsent(input, orders.size());
          }
          continue;
        }
        plain.add(input);
        if (isHalved(node) && i == 1) {
          multiplied.add(input);
        } else if (node.op() != Op.EMBEDDING || i != 1) {
          otherwise.add(input);
        }
      }
    }
    graph.outputs().values().stream()
        .filter(value -> value.kind() == Value.Kind.WEIGHT)
        .forEach(plain::add);
    if (half != 0) {
      halved.addAll(multiplied);
      halved.removeAll(otherwise);
    }
  }

  private static Kernel kernel(QuantizedTensor tensor) {
    if (tensor.layout() == Layout.COLUMNS) {
      return Kernel.DYNAMIC;
    }
    boolean fits =
        tensor.bits() == 4
            && BLOCKS.contains(tensor.block())
            && tensor.columns() % tensor.block() == 0
            && tensor.rows() % ROWS == 0;
    return fits ? Kernel.BLOCKS_OF_4 : Kernel.UNPACKED;
  }

  /** PyTorch's number of the type that products are computed in, or 0 for single precision. */
  static int halfOf(Precision precision) {
    return switch (precision) {
      case BF16 -> 15;
      case FP16 -> 5;
      default -> 0;
    };
  }

  /** The number of the 16-bit type that products are computed in, or 0 for single precision. */
  int half() {
    return half;
  }

  /** Whether an operation is one of the products that are computed in 16 bits. */
  static boolean isHalved(Node node) {
    return node.op() == Op.LINEAR || node.op() == Op.CONV;
  }

  /** The form of a linear layer's weight, or null if it is a tensor. */
  @Nullable Few few(Value weight) {
    return few.get(weight);
  }

  /** The place of the order of a weight's columns; only for those that have one. */
  int orderOf(Value weight) {
    return orders.get(weight);
  }

  /** All weights in few bits, in the order of their places. */
  Map<Value, Few> few() {
    return few;
  }

  /** Whether the tensor itself is read. */
  boolean isPlain(Value weight) {
    return plain.contains(weight);
  }

  /** Whether the tensor is held in 16 bits: products in that type alone read it. */
  boolean isHalved(Value weight) {
    return halved.contains(weight);
  }
}
