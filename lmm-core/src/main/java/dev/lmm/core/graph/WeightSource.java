package dev.lmm.core.graph;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a graph asks while it is built: which tensors a checkpoint holds, and of which shape. */
public interface WeightSource {
  /**
   * The shape of a tensor.
   *
   * @param name its name
   * @return its shape, or null if the checkpoint has no such tensor
   */
  long @Nullable [] shape(String name);

  /**
   * All tensors.
   *
   * @return their names
   */
  Set<String> names();

  /**
   * Where they are, for messages.
   *
   * @return a file or folder
   */
  String description();

  /**
   * Whether tensors come into being by being asked for: for graphs without a checkpoint (estimates,
   * tests, random weights).
   *
   * @return false for a checkpoint
   */
  default boolean isOpenEnded() {
    return false;
  }

  /**
   * Hears of a tensor that a model needs, before it is looked for.
   *
   * @param name its name
   * @param shape the shape the model's config implies
   */
  default void expect(String name, long[] shape) {}

  /**
   * An open-ended source of shapes.
   *
   * @return a new source that has whatever it is asked for
   */
  static WeightSource anything() {
    return new AnyWeightSource();
  }
}
