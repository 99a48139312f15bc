package dev.lmm.core.family;

import dev.lmm.Summary;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes summaries from graphs: one line for each layer that has weights. */
public final class Summaries {
  private Summaries() {}

  /**
   * Summarises a model.
   *
   * @param name of the model
   * @param parts the graphs, by part, in the order they compute
   * @param weights the checkpoint
   * @param extra names of tensors that are used outside the graphs (scales and the like)
   * @return the summary; a tensor used twice counts once
   */
  public static Summary of(
      String name, Map<String, Graph> parts, WeightStore weights, List<String> extra) {
    Map<String, Part> own = new LinkedHashMap<>();
    parts.forEach((part, graph) -> own.put(part, new Part(graph, weights)));
    return summary(name, own, weights, extra);
  }

  /**
   * Tells which parts a model's training left as they were.
   *
   * @param summary of the model
   * @param frozen names of parts
   * @return the same with these parts frozen
   */
  public static Summary freeze(Summary summary, Set<String> frozen) {
    List<Summary.Part> parts =
        summary.parts().stream()
            .map(p -> new Summary.Part(p.name(), p.parameters(), frozen.contains(p.name())))
            .toList();
    return new Summary(
        summary.model(), summary.layers(), parts, summary.parameters(), summary.bytes());
  }

  /**
   * A part with weights of its own.
   *
   * @param graph what it computes
   * @param weights what it computes with
   */
  public record Part(Graph graph, WeightStore weights) {}

  /**
   * Summarises a model of several folders.
   *
   * @param name of the model
   * @param parts the parts, in the order they compute
   * @return the summary; a tensor used twice counts once
   */
  public static Summary of(String name, Map<String, Part> parts) {
    return summary(name, parts, null, List.of());
  }

  private static Summary summary(
      String name, Map<String, Part> parts, @Nullable WeightStore shared, List<String> extra) {
    List<Summary.Layer> layers = new ArrayList<>();
    List<Summary.Part> partList = new ArrayList<>();
    IdentityHashMap<WeightStore, Set<String>> seen = new IdentityHashMap<>();
    long bytes = 0;
    for (Map.Entry<String, Part> part : parts.entrySet()) {
      WeightStore weights = part.getValue().weights();
      Set<String> counted = seen.computeIfAbsent(weights, w -> new HashSet<>());
      long inPart = 0;
      Map<String, Summary.Layer> byPath = new LinkedHashMap<>();
      for (Node node : part.getValue().graph().nodes()) {
        for (Value input : node.inputs()) {
          if (input == null || input.kind() != Value.Kind.WEIGHT) {
            continue;
          }
          String tensor = input.weight().name();
          if (!counted.add(tensor)) {
            continue;
          }
          long parameters = elements(input.weight().stored());
          inPart += parameters;
          bytes += weights.storedBytes(tensor);
          String path = layerOf(tensor);
          Summary.Layer known = byPath.get(path);
          byPath.put(
              path,
              new Summary.Layer(
                  path,
                  kind(node.op()),
                  node.output().shape().toString(),
                  parameters + (known == null ? 0 : known.parameters())));
        }
      }
      layers.addAll(byPath.values());
      partList.add(new Summary.Part(part.getKey(), inPart));
    }
    for (String tensor : extra) {
      long[] shape = shared == null ? null : shared.shape(tensor);
      if (shared != null
          && shape != null
          && seen.computeIfAbsent(shared, w -> new HashSet<>()).add(tensor)) {
        layers.add(new Summary.Layer(tensor, "Parameter", "[]", elements(shape)));
        partList.add(new Summary.Part(tensor, elements(shape)));
        bytes += shared.storedBytes(tensor);
      }
    }
    long parameters = partList.stream().mapToLong(Summary.Part::parameters).sum();
    return new Summary(name, layers, partList, parameters, bytes);
  }

  private static long elements(long[] shape) {
    long product = 1;
    for (long dim : shape) {
      product *= dim;
    }
    return product;
  }

  private static String layerOf(String tensor) {
    for (String suffix : List.of(".weight", ".bias")) {
      if (tensor.endsWith(suffix)) {
        return tensor.substring(0, tensor.length() - suffix.length());
      }
    }
    return tensor;
  }

  private static String kind(Op op) {
    StringBuilder name = new StringBuilder();
    for (String word : op.name().split("_", -1)) {
      name.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
    }
    return switch (op) {
      case ADD, MUL, CONCAT, EXPAND, RESHAPE, SLICE, MATMUL -> "Parameter";
      default -> name.toString();
    };
  }
}
