package dev.lmm.core.engine;

import dev.lmm.Cancellation;
import org.jspecify.annotations.Nullable;

/**
 * What a run is told besides its inputs.
 *
 * @param state the conversation, for graphs with states; null for graphs without
 * @param cancellation stops the run, or null
 * @param sideBySide whether the caller keeps {@link Program#sideBySide} runs going at once, so that
 *     this one should keep to its own thread where the engine can do that
 */
public record RunOptions(
    @Nullable ProgramState state, @Nullable Cancellation cancellation, boolean sideBySide) {
  /** No state, not cancellable except by interrupt. */
  public static final RunOptions NONE = new RunOptions(null, null);

  /**
   * Options of a run that may use all cores.
   *
   * @param state the conversation, or null
   * @param cancellation stops the run, or null
   */
  public RunOptions(@Nullable ProgramState state, @Nullable Cancellation cancellation) {
    this(state, cancellation, false);
  }

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
