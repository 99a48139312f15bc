package dev.lmm.spi;

import dev.lmm.Precision;
import java.util.OptionalLong;

/**
 * How to load a model.
 *
 * @param engine {@code auto} or a name
 * @param device {@code auto}, {@code cpu} or {@code cuda:N}
 * @param precision what weights and arithmetic are held in
 * @param threads size of the engine's pool, 0 for one a core
 * @param offline whether the network is forbidden
 * @param mapped whether weights stay in the mapped file
 * @param randomWeights seed of made-up weights, if wanted
 */
public record LoadOptions(
    String engine,
    String device,
    Precision precision,
    int threads,
    boolean offline,
    boolean mapped,
    OptionalLong randomWeights) {
  /** Everything left to the library. */
  public static final LoadOptions DEFAULT =
      new LoadOptions("auto", "auto", Precision.AUTO, 0, false, false, OptionalLong.empty());

  /**
   * Another engine.
   *
   * @param value {@code auto} or a name
   * @return new options
   */
  public LoadOptions withEngine(String value) {
    return new LoadOptions(value, device, precision, threads, offline, mapped, randomWeights);
  }

  /**
   * Another device.
   *
   * @param value {@code auto}, {@code cpu} or {@code cuda:N}
   * @return new options
   */
  public LoadOptions withDevice(String value) {
    return new LoadOptions(engine, value, precision, threads, offline, mapped, randomWeights);
  }

  /**
   * Another precision.
   *
   * @param value the precision
   * @return new options
   */
  public LoadOptions withPrecision(Precision value) {
    return new LoadOptions(engine, device, value, threads, offline, mapped, randomWeights);
  }

  /**
   * Another number of threads.
   *
   * @param value at least 0
   * @return new options
   */
  public LoadOptions withThreads(int value) {
    return new LoadOptions(engine, device, precision, value, offline, mapped, randomWeights);
  }

  /**
   * With or without network.
   *
   * @param value whether it is forbidden
   * @return new options
   */
  public LoadOptions withOffline(boolean value) {
    return new LoadOptions(engine, device, precision, threads, value, mapped, randomWeights);
  }

  /**
   * Mapped or packed weights.
   *
   * @param value whether they stay in the mapped file
   * @return new options
   */
  public LoadOptions withMapped(boolean value) {
    return new LoadOptions(engine, device, precision, threads, offline, value, randomWeights);
  }

  /**
   * Made-up weights.
   *
   * @param value their seed, or empty for the checkpoint's
   * @return new options
   */
  public LoadOptions withRandomWeights(OptionalLong value) {
    return new LoadOptions(engine, device, precision, threads, offline, mapped, value);
  }
}
