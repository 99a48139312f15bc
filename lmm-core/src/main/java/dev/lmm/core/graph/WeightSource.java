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
   * A source that has whatever it is asked for: for graphs without a checkpoint (estimates, tests,
   * random weights).
   *
   * @return the source
   */
  static WeightSource anything() {
    return AnyWeightSource.INSTANCE;
  }
}
