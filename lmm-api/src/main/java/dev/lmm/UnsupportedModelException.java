package dev.lmm;

import org.jspecify.annotations.Nullable;

/** A checkpoint of a family, option or layout that this version does not run. */
public class UnsupportedModelException extends LmmException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message what went wrong, where, and what to do
   */
  public UnsupportedModelException(String message) {
    super(message);
  }

  /**
   * Makes an exception with a cause.
   *
   * @param message what went wrong, where, and what to do
   * @param cause the underlying failure, or null
   */
  public UnsupportedModelException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
