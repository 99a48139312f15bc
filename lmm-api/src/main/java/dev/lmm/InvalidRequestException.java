package dev.lmm;

import org.jspecify.annotations.Nullable;

/** An argument of a call cannot be served: null, out of range, or in conflict with another. */
public class InvalidRequestException extends LmmException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message what went wrong, where, and what to do
   */
  public InvalidRequestException(String message) {
    super(message);
  }

  /**
   * Makes an exception with a cause.
   *
   * @param message what went wrong, where, and what to do
   * @param cause the underlying failure, or null
   */
  public InvalidRequestException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
