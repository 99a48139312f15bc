package dev.lmm;

import org.jspecify.annotations.Nullable;

/** A picture that cannot be read: broken, truncated, too large, or of an unsupported format. */
public class ImageException extends LmmException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message what went wrong, where, and what to do
   */
  public ImageException(String message) {
    super(message);
  }

  /**
   * Makes an exception with a cause.
   *
   * @param message what went wrong, where, and what to do
   * @param cause the underlying failure, or null
   */
  public ImageException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
