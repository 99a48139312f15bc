package dev.lmm;

import org.jspecify.annotations.Nullable;

/** Argument checks whose failures belong to the library's own hierarchy. */
public final class Check {
  private Check() {}

  /**
   * Refuses null.
   *
   * @param value the argument
   * @param name its name, for the message
   * @param <T> its type
   * @return the argument
   * @throws InvalidRequestException if it is null
   */
  public static <T> T notNull(@Nullable T value, String name) {
    if (value == null) {
      throw new InvalidRequestException(name + ": is null; expected a value");
    }
    return value;
  }

  /**
   * Refuses what does not hold.
   *
   * @param holds the condition
   * @param message what was found and what was expected
   * @throws InvalidRequestException if the condition does not hold
   */
  public static void that(boolean holds, String message) {
    if (!holds) {
      throw new InvalidRequestException(message);
    }
  }
}
