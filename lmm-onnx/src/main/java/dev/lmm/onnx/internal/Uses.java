package dev.lmm.onnx.internal;

import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Who makes and who reads each value of a graph. */
final class Uses {
  private final Map<Value, Node> producers = new HashMap<>();
  private final Map<Value, List<Node>> readers = new HashMap<>();
  private final Set<Value> kept = new HashSet<>();

  Uses(Graph graph) {
    for (Node node : graph.nodes()) {
      node.outputs().forEach(output -> producers.put(output, node));
      for (Value input : node.inputs()) {
        if (input != null) {
          readers.computeIfAbsent(input, v -> new ArrayList<>()).add(node);
        }
      }
    }
    kept.addAll(graph.outputs().values());
    kept.addAll(graph.states().values());
  }

  /** The node that makes a value, or null if it comes from outside. */
  @Nullable Node producer(Value value) {
    return producers.get(value);
  }

  /** The nodes that read a value, once for each time they do. */
  List<Node> readers(Value value) {
    return readers.getOrDefault(value, List.of());
  }

  /** The one reader of a value that nothing else sees, or null. */
  @Nullable Node soleReader(Value value) {
    List<Node> nodes = readers(value);
    return nodes.size() == 1 && !kept.contains(value) ? nodes.get(0) : null;
  }

  /** Whether a value is an output of the graph, or what a state becomes. */
  boolean isKept(Value value) {
    return kept.contains(value);
  }
}
