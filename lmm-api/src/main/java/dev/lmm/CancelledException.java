package dev.lmm;

import org.jspecify.annotations.Nullable;

/** A run that was cancelled, interrupted or past its deadline. */
public class CancelledException extends LmmException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message what went wrong, where, and what to do
   */
  public CancelledException(String message) {
    super(message);
  }

  /**
   * Makes an exception with a cause.
   *
   * @param message what went wrong, where, and what to do
   * @param cause the underlying failure, or null
   */
  public CancelledException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
