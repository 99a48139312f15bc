package dev.lmm.spi;

import dev.lmm.Precision;
import dev.lmm.Quantization;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

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
 * @param partDevices devices of single parts, by the part's name
 * @param partPrecisions precisions of single parts, by the part's name
 * @param quantization how weights are brought into few bits
 * @param download how a hub's model is fetched
 */
public record LoadOptions(
    String engine,
    String device,
    Precision precision,
    int threads,
    boolean offline,
    boolean mapped,
    OptionalLong randomWeights,
    Map<String, String> partDevices,
    Map<String, Precision> partPrecisions,
    Quantization quantization,
    DownloadOptions download) {
  /** Everything left to the library. */
  public static final LoadOptions DEFAULT =
      new LoadOptions(
          "auto",
          "auto",
          Precision.AUTO,
          0,
          false,
          false,
          OptionalLong.empty(),
          Map.of(),
          Map.of(),
          Quantization.DEFAULT,
          DownloadOptions.DEFAULT);

  /**
   * Copies the maps.
   *
   * @param engine {@code auto} or a name
   * @param device {@code auto}, {@code cpu} or {@code cuda:N}
   * @param precision what weights and arithmetic are held in
   * @param threads size of the engine's pool, 0 for one a core
   * @param offline whether the network is forbidden
   * @param mapped whether weights stay in the mapped file
   * @param randomWeights seed of made-up weights, if wanted
   * @param partDevices devices of single parts, by the part's name
   * @param partPrecisions precisions of single parts, by the part's name
   * @param quantization how weights are brought into few bits
   * @param download how a hub's model is fetched
   */
  public LoadOptions {
    partDevices = Map.copyOf(partDevices);
    partPrecisions = Map.copyOf(partPrecisions);
  }

  /**
   * The parts whose device or precision the caller chose.
   *
   * @return their names
   */
  public Set<String> namedParts() {
    Set<String> named = new LinkedHashSet<>(partDevices.keySet());
    named.addAll(partPrecisions.keySet());
    return named;
  }

  /**
   * Another engine.
   *
   * @param value {@code auto} or a name
   * @return new options
   */
  public LoadOptions withEngine(String value) {
    return new LoadOptions(
        value,
        device,
        precision,
        threads,
        offline,
        mapped,
        randomWeights,
        partDevices,
        partPrecisions,
        quantization,
        download);
  }

  /**
   * Another device.
   *
   * @param value {@code auto}, {@code cpu} or {@code cuda:N}
   * @return new options
   */
  public LoadOptions withDevice(String value) {
    return new LoadOptions(
        engine,
        value,
        precision,
        threads,
        offline,
        mapped,
        randomWeights,
        partDevices,
        partPrecisions,
        quantization,
        download);
  }

  /**
   * Another precision.
   *
   * @param value the precision
   * @return new options
   */
  public LoadOptions withPrecision(Precision value) {
    return new LoadOptions(
        engine,
        device,
        value,
        threads,
        offline,
        mapped,
        randomWeights,
        partDevices,
        partPrecisions,
        quantization,
        download);
  }

  /**
   * Another number of threads.
   *
   * @param value at least 0
   * @return new options
   */
  public LoadOptions withThreads(int value) {
    return new LoadOptions(
        engine,
        device,
        precision,
        value,
        offline,
        mapped,
        randomWeights,
        partDevices,
        partPrecisions,
        quantization,
        download);
  }

  /**
   * With or without network.
   *
   * @param value whether it is forbidden
   * @return new options
   */
  public LoadOptions withOffline(boolean value) {
    return new LoadOptions(
        engine,
        device,
        precision,
        threads,
        value,
        mapped,
        randomWeights,
        partDevices,
        partPrecisions,
        quantization,
        download);
  }

  /**
   * Mapped or packed weights.
   *
   * @param value whether they stay in the mapped file
   * @return new options
   */
  public LoadOptions withMapped(boolean value) {
    return new LoadOptions(
        engine,
        device,
        precision,
        threads,
        offline,
        value,
        randomWeights,
        partDevices,
        partPrecisions,
        quantization,
        download);
  }

  /**
   * Made-up weights.
   *
   * @param value their seed, or empty for the checkpoint's
   * @return new options
   */
  public LoadOptions withRandomWeights(OptionalLong value) {
    return new LoadOptions(
        engine,
        device,
        precision,
        threads,
        offline,
        mapped,
        value,
        partDevices,
        partPrecisions,
        quantization,
        download);
  }

  /**
   * Another device for one part.
   *
   * @param part its name, for instance {@code vision}
   * @param value {@code auto}, {@code cpu} or {@code cuda:N}
   * @return new options
   */
  public LoadOptions withDevice(String part, String value) {
    Map<String, String> devices = new LinkedHashMap<>(partDevices);
    devices.put(part, value);
    return new LoadOptions(
        engine,
        device,
        precision,
        threads,
        offline,
        mapped,
        randomWeights,
        devices,
        partPrecisions,
        quantization,
        download);
  }

  /**
   * Another precision for one part.
   *
   * @param part its name, for instance {@code vision}
   * @param value the precision
   * @return new options
   */
  public LoadOptions withPrecision(String part, Precision value) {
    Map<String, Precision> precisions = new LinkedHashMap<>(partPrecisions);
    precisions.put(part, value);
    return new LoadOptions(
        engine,
        device,
        precision,
        threads,
        offline,
        mapped,
        randomWeights,
        partDevices,
        precisions,
        quantization,
        download);
  }

  /**
   * Another way into few bits.
   *
   * @param value blocks, zero points, search
   * @return new options
   */
  public LoadOptions withQuantization(Quantization value) {
    return new LoadOptions(
        engine,
        device,
        precision,
        threads,
        offline,
        mapped,
        randomWeights,
        partDevices,
        partPrecisions,
        value,
        download);
  }

  /**
   * Another way to fetch.
   *
   * @param value how a hub's model is fetched
   * @return new options
   */
  public LoadOptions withDownload(DownloadOptions value) {
    return new LoadOptions(
        engine,
        device,
        precision,
        threads,
        offline,
        mapped,
        randomWeights,
        partDevices,
        partPrecisions,
        quantization,
        value);
  }
}
