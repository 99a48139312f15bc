package dev.lmm;

import java.util.Locale;

/**
 * What weights and arithmetic are held in. Which of them an engine has on a device is said by the
 * error that refuses another.
 */
public enum Precision {
  /** What fits and is fastest on the device; on the CPU single precision where it fits. */
  AUTO,
  /** Single precision: 4 bytes a weight. */
  FP32,
  /** Brain floating point: 2 bytes a weight, the range of single precision. */
  BF16,
  /** Half precision: 2 bytes a weight, numbers up to 65504. */
  FP16,
  /** Weights of linear layers in 8 bits. */
  INT8,
  /**
   * Weights of linear layers in 4 bits; vision towers stay as they are unless asked for by name.
   */
  INT4;

  /**
   * The name as the command line writes it.
   *
   * @return in lower case, for instance {@code int8}
   */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
