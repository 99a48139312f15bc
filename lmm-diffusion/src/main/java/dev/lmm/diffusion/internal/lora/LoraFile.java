package dev.lmm.diffusion.internal.lora;

import dev.lmm.CheckpointException;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.StoredFloats;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One adapter: for some layers, W becomes W + alpha / rank * up * down. Every key of the file
 * belongs to a layer, or reading fails and names it.
 */
final class LoraFile {
  /** What is meant by the ends of keys. */
  private static final Map<String, Role> ENDS = new LinkedHashMap<>();

  static {
    ENDS.put(".alpha", Role.ALPHA);
    for (String down :
        List.of(
            ".lora_down.weight",
            ".lora_A.weight",
            ".lora_A.default.weight",
            ".lora_linear_layer.down.weight",
            ".lora.down.weight",
            "_lora.down.weight")) {
      ENDS.put(down, Role.DOWN);
      ENDS.put(down.replace("down", "up").replace("lora_A", "lora_B"), Role.UP);
    }
  }

  /** Other kinds of adapters, by what their keys hold. */
  private static final Map<String, String> OTHERS =
      Map.of(
          "hada_", "LoHa",
          "lokr_", "LoKr",
          "dora_scale", "DoRA",
          "lora_magnitude_vector", "DoRA",
          "lora_mid", "LoCon with a middle factor",
          ".diff", "full differences",
          ".bias", "biases");

  private static final int SHOWN = 4;

  private enum Role {
    DOWN,
    UP,
    ALPHA
  }

  /**
   * The change of one layer.
   *
   * @param rank rows of the first factor
   * @param factor alpha / rank
   * @param down [rank, in...]
   * @param up [out, rank]
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Change(int rank, double factor, float[] down, float[] up) {}

  private final Path file;
  private final CheckpointWeights weights;
  private final Map<LoraLayer, Map<Role, String>> keys = new LinkedHashMap<>();
  private final Map<LoraLayer, Change> changes = new LinkedHashMap<>();

  private LoraFile(Path file, CheckpointWeights weights) {
    this.file = file;
    this.weights = weights;
  }

  /**
   * Reads an adapter.
   *
   * @param file with tensors
   * @param layers those of the model it is for
   * @return its changes by layer
   * @throws CheckpointException if it is broken, or has keys or sizes that are not the model's
   */
  static Map<LoraLayer, Change> read(Path file, LoraLayers layers) {
    try (CheckpointWeights weights = CheckpointWeights.ofFile(file)) {
      LoraFile reader = new LoraFile(file, weights);
      reader.sort(layers);
      reader.change(LoraAlphas.of(file));
      return reader.changes;
    }
  }

  private void sort(LoraLayers layers) {
    List<String> strangers = new ArrayList<>();
    for (String key : weights.names()) {
      boolean known = false;
      for (Map.Entry<String, Role> end : ENDS.entrySet()) {
        if (!known && key.endsWith(end.getKey())) {
          String name = key.substring(0, key.length() - end.getKey().length());
          LoraLayer layer = layers.find(name.replace("base_model.model.", ""));
          if (layer != null) {
            known = true;
            String twice =
                keys.computeIfAbsent(layer, l -> new LinkedHashMap<>())
                    .putIfAbsent(end.getValue(), key);
            if (twice != null) {
              throw new CheckpointException(
                  file + ": " + twice + " and " + key + " both stand for " + layer);
            }
          }
        }
      }
      if (!known) {
        strangers.add(key);
      }
    }
    if (!strangers.isEmpty()) {
      throw new CheckpointException(
          file
              + ": "
              + strangers.size()
              + " of "
              + weights.names().size()
              + " keys belong to no layer of this model: "
              + some(strangers)
              + why(strangers, layers));
    }
    if (keys.isEmpty()) {
      throw new CheckpointException(file + ": is empty; expected the factors of a LoRA");
    }
  }

  private static String why(List<String> strangers, LoraLayers layers) {
    for (Map.Entry<String, String> other : OTHERS.entrySet()) {
      if (strangers.stream().anyMatch(key -> key.contains(other.getKey()))) {
        return "; adapters with " + other.getValue() + " are not supported";
      }
    }
    Predicate<String> lora = key -> ENDS.keySet().stream().anyMatch(key::endsWith);
    return strangers.stream().anyMatch(lora)
        ? "; expected those of " + String.join(", ", layers.parts()) + ". A LoRA for another model?"
        : "; is this a LoRA?";
  }

  private static String some(List<String> names) {
    return String.join(", ", names.subList(0, Math.min(SHOWN, names.size())))
        + (names.size() > SHOWN ? ", ..." : "");
  }

  private void change(LoraAlphas alphas) {
    List<String> misfits = new ArrayList<>();
    keys.forEach(
        (layer, own) -> {
          String down = own.get(Role.DOWN);
          String up = own.get(Role.UP);
          if (down == null || up == null) {
            throw new CheckpointException(
                file
                    + ": "
                    + own.values().iterator().next()
                    + " stands without its "
                    + (down == null ? "first" : "second")
                    + " factor; is the download complete?");
          }
          String misfit = misfit(layer, down, up);
          if (misfit != null) {
            misfits.add(misfit);
            return;
          }
          int rank = (int) shape(down)[0];
          changes.put(
              layer,
              new Change(
                  rank,
                  factor(own.get(Role.ALPHA), layer, rank, alphas),
                  StoredFloats.read(weights, down),
                  StoredFloats.read(weights, up)));
        });
    if (!misfits.isEmpty()) {
      throw new CheckpointException(
          file
              + ": "
              + misfits.size()
              + " of "
              + keys.size()
              + " layers do not fit this model: "
              + some(misfits)
              + ". A LoRA for another model?");
    }
  }

  private long[] shape(String name) {
    return weights.locate(name).shape();
  }

  /** What is wrong with the sizes of a layer's factors, or null. */
  private @Nullable String misfit(LoraLayer layer, String down, String up) {
    long[] a = shape(down);
    long[] b = shape(up);
    boolean fits =
        a.length >= 2
            && b.length >= 2
            && a[0] > 0
            && a[0] == b[1]
            && b[0] == layer.out()
            && Arrays.stream(b).skip(2).allMatch(n -> n == 1)
            && (layer.in().size() == 1
                ? a[1] == layer.in().get(0) && Arrays.stream(a).skip(2).allMatch(n -> n == 1)
                : Arrays.stream(a).skip(1).boxed().toList().equals(layer.in()));
    if (fits && a[0] <= 1 << 14) {
      return null;
    }
    return down
        + " is "
        + Arrays.toString(a)
        + " and "
        + up
        + " "
        + Arrays.toString(b)
        + ", "
        + layer
        + " reads "
        + layer.in()
        + " and makes "
        + layer.out();
  }

  private double factor(@Nullable String key, LoraLayer layer, int rank, LoraAlphas alphas) {
    if (key == null) {
      return alphas.factor(layer, rank);
    }
    float[] alpha =
        weights.locate(key).length() > 8 ? new float[0] : StoredFloats.read(weights, key);
    if (alpha.length != 1 || !Float.isFinite(alpha[0])) {
      throw new CheckpointException(file + ": " + key + " is not one finite number");
    }
    return (double) alpha[0] / rank;
  }
}
