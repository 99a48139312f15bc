package dev.lmm;

import org.jspecify.annotations.Nullable;

/**
 * The root of everything this library throws on purpose.
 *
 * <p>Messages are one or two sentences a user can act on: what was found, where, what was expected
 * and what to do.
 */
public class LmmException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message what went wrong, where, and what to do
   */
  public LmmException(String message) {
    super(message);
  }

  /**
   * Makes an exception with a cause.
   *
   * @param message what went wrong, where, and what to do
   * @param cause the underlying failure, or null
   */
  public LmmException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
