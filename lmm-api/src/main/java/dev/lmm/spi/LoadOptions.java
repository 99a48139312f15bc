package dev.lmm.spi;

import dev.lmm.Precision;
import dev.lmm.Quantization;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

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
    return with(draft -> draft.engine = value);
  }

  /**
   * Another device.
   *
   * @param value {@code auto}, {@code cpu} or {@code cuda:N}
   * @return new options
   */
  public LoadOptions withDevice(String value) {
    return with(draft -> draft.device = value);
  }

  /**
   * Another precision.
   *
   * @param value the precision
   * @return new options
   */
  public LoadOptions withPrecision(Precision value) {
    return with(draft -> draft.precision = value);
  }

  /**
   * Another number of threads.
   *
   * @param value at least 0
   * @return new options
   */
  public LoadOptions withThreads(int value) {
    return with(draft -> draft.threads = value);
  }

  /**
   * With or without network.
   *
   * @param value whether it is forbidden
   * @return new options
   */
  public LoadOptions withOffline(boolean value) {
    return with(draft -> draft.offline = value);
  }

  /**
   * Mapped or packed weights.
   *
   * @param value whether they stay in the mapped file
   * @return new options
   */
  public LoadOptions withMapped(boolean value) {
    return with(draft -> draft.mapped = value);
  }

  /**
   * Made-up weights.
   *
   * @param value their seed, or empty for the checkpoint's
   * @return new options
   */
  public LoadOptions withRandomWeights(OptionalLong value) {
    return with(draft -> draft.randomWeights = value);
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
    return with(draft -> draft.partDevices = devices);
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
    return with(draft -> draft.partPrecisions = precisions);
  }

  /**
   * Another way into few bits.
   *
   * @param value blocks, zero points, search
   * @return new options
   */
  public LoadOptions withQuantization(Quantization value) {
    return with(draft -> draft.quantization = value);
  }

  /**
   * Another way to fetch.
   *
   * @param value how a hub's model is fetched
   * @return new options
   */
  public LoadOptions withDownload(DownloadOptions value) {
    return with(draft -> draft.download = value);
  }

  /** The components under way to other ones. */
  private static final class Draft {
    String engine;
    String device;
    Precision precision;
    int threads;
    boolean offline;
    boolean mapped;
    OptionalLong randomWeights;
    Map<String, String> partDevices;
    Map<String, Precision> partPrecisions;
    Quantization quantization;
    DownloadOptions download;

    Draft(LoadOptions from) {
      this.engine = from.engine;
      this.device = from.device;
      this.precision = from.precision;
      this.threads = from.threads;
      this.offline = from.offline;
      this.mapped = from.mapped;
      this.randomWeights = from.randomWeights;
      this.partDevices = from.partDevices;
      this.partPrecisions = from.partPrecisions;
      this.quantization = from.quantization;
      this.download = from.download;
    }
  }

  private LoadOptions with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return new LoadOptions(
        draft.engine,
        draft.device,
        draft.precision,
        draft.threads,
        draft.offline,
        draft.mapped,
        draft.randomWeights,
        draft.partDevices,
        draft.partPrecisions,
        draft.quantization,
        draft.download);
  }
}
