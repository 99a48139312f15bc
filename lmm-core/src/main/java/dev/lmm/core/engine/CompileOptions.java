package dev.lmm.core.engine;

/**
 * How to compile.
 *
 * @param device {@code cpu} or {@code cuda:N}
 * @param mapped whether weights stay in the mapped file instead of being packed for the processor:
 *     loads at once and takes no private memory, but runs slower
 * @param threads threads of the engine's pool, which all programs of the process share; 0 leaves it
 *     to the engine. Only the first program of a process can choose
 */
public record CompileOptions(String device, boolean mapped, int threads) {
  /** CPU, packed weights, all cores. */
  public static final CompileOptions DEFAULT = new CompileOptions("cpu", false, 0);
}
