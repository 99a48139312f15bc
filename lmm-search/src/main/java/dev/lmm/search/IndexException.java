package dev.lmm.search;

import dev.lmm.LmmException;
import org.jspecify.annotations.Nullable;

/**
 * An index of pictures that cannot be used: broken, empty, of another model, in use by another
 * process, or no index at all.
 */
public class IndexException extends LmmException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message what went wrong, where, and what to do
   */
  public IndexException(String message) {
    super(message);
  }

  /**
   * Makes an exception with a cause.
   *
   * @param message what went wrong, where, and what to do
   * @param cause the underlying failure, or null
   */
  public IndexException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
