package dev.lmm.spring.boot;

import dev.lmm.Answer;
import dev.lmm.Model;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Hears of loads and runs; for meters. Implementations are thread-safe and quick. */
interface RunListener {
  /**
   * A model was loaded, or not.
   *
   * @param name its id
   * @param model null if it failed
   */
  void loaded(String name, @Nullable Model model, Duration took);

  /**
   * A run ended.
   *
   * @param failure null if it came to its end
   */
  void ran(String role, String model, String operation, Duration took, @Nullable Throwable failure);

  /** An answer was written, or left. */
  void answered(String model, Answer answer, Duration took);
}
