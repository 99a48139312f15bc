package dev.lmm.core.engine;

import dev.lmm.Precision;

/**
 * How to compile.
 *
 * @param device {@code cpu} or {@code cuda:N}
 * @param mapped whether weights stay in the mapped file instead of being packed for the processor:
 *     loads at once and takes no private memory, but runs slower
 * @param threads threads of the engine's pool, which all programs of the process share; 0 leaves it
 *     to the engine. Only the first program of a process can choose
 * @param precision what to compute in, one of {@link Engine#precisions}; never {@code AUTO}. At
 *     {@code INT8} and {@code INT4} the {@link WeightStore} has the quantized weights
 */
public record CompileOptions(String device, boolean mapped, int threads, Precision precision) {
  /** CPU, packed weights, all cores, single precision. */
  public static final CompileOptions DEFAULT = new CompileOptions("cpu", false, 0);

  /**
   * Single precision.
   *
   * @param device {@code cpu} or {@code cuda:N}
   * @param mapped whether weights stay in the mapped file
   * @param threads threads of the engine's pool; 0 leaves it to the engine
   */
  public CompileOptions(String device, boolean mapped, int threads) {
    this(device, mapped, threads, Precision.FP32);
  }
}
