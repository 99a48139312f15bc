package dev.lmm.diffusion.internal.lora;

import dev.lmm.core.graph.Value;
import java.util.List;

/**
 * A layer of a pipeline that adapters can change.
 *
 * @param part for instance {@code unet}
 * @param weight name of its weight in the part's checkpoint
 * @param out rows of the weight as it is stored
 * @param in what the layer reads: [in] for a linear layer, [in, kernel...] for a convolution
 */
record LoraLayer(String part, String weight, long out, List<Long> in) {
  static LoraLayer of(String part, Value weight) {
    List<Long> in =
        weight.shape().dims().stream().skip(1).map(dim -> dim.fixed().orElseThrow()).toList();
    return new LoraLayer(part, weight.weight().name(), weight.weight().stored()[0], in);
  }

  /** The module, as diffusers names it. */
  String path() {
    return weight.substring(0, weight.length() - ".weight".length());
  }

  /** What one row of the first factor holds. */
  long inElements() {
    return in.stream().reduce(1L, Math::multiplyExact);
  }

  @Override
  public String toString() {
    return part + "." + path();
  }
}
