package dev.lmm;

import org.jspecify.annotations.Nullable;

/** A checkpoint file that is missing, broken, or at odds with the config. */
public class CheckpointException extends LmmException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message what went wrong, where, and what to do
   */
  public CheckpointException(String message) {
    super(message);
  }

  /**
   * Makes an exception with a cause.
   *
   * @param message what went wrong, where, and what to do
   * @param cause the underlying failure, or null
   */
  public CheckpointException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
