package dev.lmm.diffusion.internal.lora;

import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.WeightUsage;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the adapters of a request add up to in one part. Factors of several adapters for one layer
 * stand side by side, so that each layer has one branch however many there are.
 *
 * @param ranks of the branches, by weight: with other ranks another program is needed
 * @param inputs the factors, as further inputs of the program
 */
public record LoraBranches(Map<String, Integer> ranks, Map<String, Tensor> inputs) {
  /** Without adapters. */
  public static final LoraBranches NONE = new LoraBranches(Map.of(), Map.of());

  /**
   * A change of a layer and how strongly it acts.
   *
   * @param change the change
   * @param scale 1 as trained
   */
  record Scaled(LoraFile.Change change, double scale) {}

  static LoraBranches of(Map<LoraLayer, List<Scaled>> layers) {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    layers.forEach(
        (layer, changes) -> {
          int rank = changes.stream().mapToInt(each -> each.change().rank()).sum();
          ranks.put(layer.weight(), rank);
          inputs.put(WeightUsage.downInput(layer.weight()), down(layer, changes, rank));
          inputs.put(WeightUsage.upInput(layer.weight()), up(layer, changes, rank));
        });
    return new LoraBranches(Collections.unmodifiableMap(ranks), inputs);
  }

  private static Tensor down(LoraLayer layer, List<Scaled> changes, int rank) {
    long[] shape = new long[1 + layer.in().size()];
    shape[0] = rank;
    for (int i = 0; i < layer.in().size(); i++) {
      shape[1 + i] = layer.in().get(i);
    }
    float[] rows = new float[Math.toIntExact(rank * layer.inElements())];
    int at = 0;
    for (Scaled each : changes) {
      float[] down = each.change().down();
      System.arraycopy(down, 0, rows, at, down.length);
      at += down.length;
    }
    return Tensor.of(rows, shape);
  }

  private static Tensor up(LoraLayer layer, List<Scaled> changes, int rank) {
    int out = Math.toIntExact(layer.out());
    float[] columns = new float[Math.multiplyExact(out, rank)];
    int at = 0;
    for (Scaled each : changes) {
      LoraFile.Change change = each.change();
      float factor = (float) (each.scale() * change.factor());
      for (int row = 0; row < out; row++) {
        for (int i = 0; i < change.rank(); i++) {
          columns[row * rank + at + i] = factor * change.up()[row * change.rank() + i];
        }
      }
      at += change.rank();
    }
    return Tensor.of(columns, out, rank);
  }
}
