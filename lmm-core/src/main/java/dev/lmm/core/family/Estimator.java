package dev.lmm.core.family;

import dev.lmm.Estimate;
import dev.lmm.ModelInfo;
import dev.lmm.Precision;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.PeakMemory;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.graph.WeightSource;
import dev.lmm.core.quantization.Recipe;
import dev.lmm.core.quantization.Rules;
import dev.lmm.spi.LoadOptions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Adds up the memory of a model's stages as the engines hold it:
 *
 * <ul>
 *   <li>On a CPU weights are packed in the precision they are computed in; a table that is only
 *       looked up stays in the mapped file. On a GPU everything is copied to the card.
 *   <li>Layers in few bits have the size of their quantized form; what stays beside them is in
 *       single precision on a CPU, in 2 bytes on a GPU.
 *   <li>Every stage's engine keeps the memory its largest run took.
 * </ul>
 */
final class Estimator {
  private final LoadOptions options;
  private final PlannedPlacement placement;
  private final IdentityHashMap<WeightSource, Set<String>> counted = new IdentityHashMap<>();
  private long mapped;

  private Estimator(LoadOptions options, PlannedPlacement placement) {
    this.options = options;
    this.placement = placement;
  }

  static Estimate of(
      String id, String modelType, ModelFamily family, StageContext context, LoadOptions options) {
    PlannedPlacement placement = PlannedPlacement.of(options);
    return new Estimator(options, placement).add(id, modelType, family.stages(context));
  }

  private Estimate add(String id, String modelType, List<Stage> stages) {
    Map<String, Estimate.Part> parts = new LinkedHashMap<>();
    for (Stage stage : stages) {
      parts.merge(stage.part(), part(stage), Estimator::sum);
    }
    placement.requireKnown(parts.keySet());
    long total = placement.runtime();
    long parameters = 0;
    for (Estimate.Part part : parts.values()) {
      total += part.weights() + part.cache() + part.activations();
      parameters += part.parameters();
    }
    return new Estimate(
        new ModelInfo(
            id,
            modelType,
            placement.engine(),
            placement.device(),
            placement.precision(),
            options.randomWeights().isPresent()),
        new ArrayList<>(parts.values()),
        parameters,
        mapped,
        placement.runtime(),
        total,
        placement.available());
  }

  private static Estimate.Part sum(Estimate.Part a, Estimate.Part b) {
    return new Estimate.Part(
        a.name(),
        a.device(),
        a.precision(),
        a.parameters() + b.parameters(),
        a.weights() + b.weights(),
        a.cache() + b.cache(),
        a.activations() + b.activations());
  }

  private Estimate.Part part(Stage stage) {
    Graph graph = stage.graph();
    String device = placement.device(stage.part());
    Precision precision = placement.precision(stage.part());
    boolean cpu = device.equals("cpu");
    int floatBytes = PlannedPlacement.floatBytes(device, precision);
    Map<WeightRef, Recipe> recipes =
        Rules.of(graph, precision, options.quantization(), placement.multipliesBlocksOf8());
    Set<Value> tables = read(graph, true);
    Set<Value> multiplied = read(graph, false);
    Set<String> names = counted.computeIfAbsent(stage.weights(), source -> new HashSet<>());
    long parameters = 0;
    long weights = 0;
    for (Value value : graph.weights()) {
      WeightRef ref = value.weight();
      if (names.add(ref.name() + (ref.isWhole() ? "" : "@" + ref.rowStart()))) {
        parameters += ref.elements();
      }
      long plain = ref.elements() * floatBytes;
      Recipe recipe = recipes.get(ref);
      boolean table = tables.contains(value);
      boolean inFile = cpu && options.mapped() && recipe == null;
      if (recipe != null) {
        weights += recipe.bytes(ref.view()[0], ref.view()[1]);
      } else if (!inFile && multiplied.contains(value)) {
        weights += plain;
      }
      // A head that is the table of words too is held for both, unless one form serves both.
      if (inFile || (table && cpu)) {
        mapped += plain;
      } else if (table && (recipe != null || !multiplied.contains(value))) {
        weights += plain;
      }
    }
    long cache = 0;
    for (Value state : graph.states().keySet()) {
      cache += state.shape().elements().evaluate(stage.symbols()::get) * floatBytes;
    }
    return new Estimate.Part(
        stage.part(),
        device,
        precision,
        parameters,
        weights,
        cache,
        PeakMemory.of(graph, stage.symbols()::get, floatBytes));
  }

  /** Weights that some nodes look up in (tables), or that all others read. */
  private static Set<Value> read(Graph graph, boolean lookedUp) {
    Set<Value> found = new HashSet<>();
    for (Node node : graph.nodes()) {
      if ((node.op() == Op.EMBEDDING) == lookedUp) {
        node.inputs().stream()
            .filter(input -> input != null && input.kind() == Value.Kind.WEIGHT)
            .forEach(found::add);
      }
    }
    return found;
  }
}
