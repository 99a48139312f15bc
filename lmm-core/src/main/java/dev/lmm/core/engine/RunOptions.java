package dev.lmm.core.engine;

import dev.lmm.Cancellation;
import org.jspecify.annotations.Nullable;

/**
 * What a run is told besides its inputs.
 *
 * @param state the conversation, for graphs with states; null for graphs without
 * @param cancellation stops the run, or null
 */
public record RunOptions(@Nullable ProgramState state, @Nullable Cancellation cancellation) {
  /** No state, not cancellable except by interrupt. */
  public static final RunOptions NONE = new RunOptions(null, null);

  /**
   * Options with a cancellation only.
   *
   * @param cancellation stops the run, or null
   * @return the options
   */
  public static RunOptions cancelledBy(@Nullable Cancellation cancellation) {
    return cancellation == null ? NONE : new RunOptions(null, cancellation);
  }
}
