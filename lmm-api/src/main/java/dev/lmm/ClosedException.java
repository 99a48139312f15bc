package dev.lmm;

import org.jspecify.annotations.Nullable;

/** A model, engine or tensor used after it was closed. */
public class ClosedException extends LmmException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message what went wrong, where, and what to do
   */
  public ClosedException(String message) {
    super(message);
  }

  /**
   * Makes an exception with a cause.
   *
   * @param message what went wrong, where, and what to do
   * @param cause the underlying failure, or null
   */
  public ClosedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
