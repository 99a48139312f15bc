package dev.lmm.core.quantization;

import dev.lmm.Precision;
import dev.lmm.Quantization;
import dev.lmm.core.engine.QuantizedTensor.Layout;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightRef;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Which weights of a graph are quantized, and how.
 *
 * <ul>
 *   <li>Matrices of linear layers only. Norms, biases, tables that are looked up, convolutions
 *       (also one seen as a matrix, as patch embeddings are) and layers of fewer than 32 inputs
 *       stay.
 *   <li>{@code INT8}: a graph that keeps no state (an encoder, a denoiser) gets {@link
 *       Recipe#COLUMNS}, the fastest for many rows. A decoder gets blocks of 32: the activations of
 *       language models have outliers, which one scale for all would drown the rest in. An engine
 *       that does not multiply such blocks gets {@link Recipe#COLUMNS} there too.
 *   <li>{@code INT4}: blocks of 4 bits; 8 bits where the result leaves the graph (the head of a
 *       language model, a projection), which is where an error is never averaged out again.
 * </ul>
 */
public final class Rules {
  /** Below this many inputs a layer gains nothing. */
  private static final long FEWEST_COLUMNS = 32;

  private Rules() {}

  /**
   * The recipes of a graph's weights.
   *
   * @param graph a verified graph
   * @param precision {@code INT8} or {@code INT4}; nothing is quantized at another
   * @param form blocks, zero points, search
   * @param blocksOf8 whether blocks of 8 bits are multiplied as such, by {@link
   *     dev.lmm.core.engine.Engine#multiplies}
   * @return by weight, in the order of the graph
   */
  public static Map<WeightRef, Recipe> of(
      Graph graph, Precision precision, Quantization form, boolean blocksOf8) {
    Map<WeightRef, Recipe> recipes = new LinkedHashMap<>();
    if (precision != Precision.INT8 && precision != Precision.INT4) {
      return recipes;
    }
    Recipe ofDecoders = blocksOf8 ? blocks(form, 8) : Recipe.COLUMNS;
    Set<Value> leaving = new HashSet<>(graph.outputs().values());
    for (Node node : graph.nodes()) {
      if (node.op() != Op.LINEAR || node.input(1).kind() != Value.Kind.WEIGHT) {
        continue;
      }
      WeightRef ref = node.input(1).weight();
      if (ref.stored().length != 2 || ref.view().length != 2 || ref.view()[1] < FEWEST_COLUMNS) {
        continue;
      }
      Recipe recipe;
      if (precision == Precision.INT4) {
        recipe = leaving.contains(node.output()) ? ofDecoders : blocks(form, 4);
      } else {
        recipe = graph.states().isEmpty() ? Recipe.COLUMNS : ofDecoders;
      }
      // Asked for twice, the more exact stays.
      recipes.merge(ref, recipe, (a, b) -> a.bits() >= b.bits() ? a : b);
    }
    return recipes;
  }

  private static Recipe blocks(Quantization form, int bits) {
    return new Recipe(Layout.BLOCKS, bits, form.block(), form.zeroPoints(), form.searched());
  }
}
