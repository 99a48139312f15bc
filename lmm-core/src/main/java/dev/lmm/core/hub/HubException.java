package dev.lmm.core.hub;

import dev.lmm.ModelNotFoundException;
import org.jspecify.annotations.Nullable;

/** A hub that does not give a model: unreachable, refusing, or sending something else. */
public class HubException extends ModelNotFoundException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message what went wrong, where, and what to do
   */
  public HubException(String message) {
    super(message);
  }

  /**
   * Makes an exception with a cause.
   *
   * @param message what went wrong, where, and what to do
   * @param cause the underlying failure, or null
   */
  public HubException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
