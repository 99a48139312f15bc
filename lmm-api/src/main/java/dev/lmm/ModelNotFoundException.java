package dev.lmm;

import org.jspecify.annotations.Nullable;

/** A model id or folder that does not lead to a checkpoint. */
public class ModelNotFoundException extends LmmException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message what went wrong, where, and what to do
   */
  public ModelNotFoundException(String message) {
    super(message);
  }

  /**
   * Makes an exception with a cause.
   *
   * @param message what went wrong, where, and what to do
   * @param cause the underlying failure, or null
   */
  public ModelNotFoundException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
