package dev.lmm.core.family;

import dev.lmm.EngineException;
import dev.lmm.InvalidRequestException;
import dev.lmm.Precision;
import dev.lmm.Quantization;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.Engines;
import dev.lmm.spi.LoadOptions;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * On which engine and device and in what precision each part of a model is computed. Made from what
 * the caller asked for; refuses what is not supported, with what is.
 *
 * <p>At {@code INT4} a part whose name says that it sees ({@code vision}) keeps single precision
 * unless the caller names it: published recoveries of quantized models leave it alone, for it is
 * small and loses most.
 */
public final class Placement {
  private final Engine engine;
  private final String device;
  private final Precision precision;
  private final LoadOptions options;

  private Placement(Engine engine, String device, Precision precision, LoadOptions options) {
    this.engine = engine;
    this.device = device;
    this.precision = precision;
    this.options = options;
  }

  /**
   * Chooses.
   *
   * @param options what the caller asked for
   * @return the placement
   * @throws EngineException if no engine, or not the one asked for, has the device or the precision
   */
  static Placement of(LoadOptions options) {
    Engine engine = Engines.choose(options.engine(), options.device(), options.precision());
    String device = device(engine, options.device());
    Precision precision = precision(engine, device, options.precision());
    Placement placement = new Placement(engine, device, precision, options);
    // What is not there is refused now, not when a part is first needed.
    options.namedParts().forEach(placement::of);
    return placement;
  }

  static String device(Engine engine, String wanted) {
    List<String> devices = engine.status().devices();
    if (wanted.equals("auto")) {
      return devices.get(0);
    }
    if (!devices.contains(wanted)) {
      throw new EngineException(
          "device: "
              + wanted
              + " is not there; engine "
              + engine.name()
              + " finds "
              + devices
              + Engines.reason(engine, wanted));
    }
    return wanted;
  }

  private static Precision precision(Engine engine, String device, Precision wanted) {
    Set<Precision> supported = engine.precisions(device);
    if (wanted == Precision.AUTO) {
      return supported.contains(Precision.FP32) || supported.isEmpty()
          ? Precision.FP32
          : new TreeSet<>(supported).first();
    }
    if (!supported.contains(wanted)) {
      throw new EngineException(
          "precision: engine "
              + engine.name()
              + " has no "
              + wanted.label()
              + " on "
              + device
              + "; it has "
              + labels(supported)
              + Engines.all().stream()
                  .filter(other -> other.precisions(device).contains(wanted))
                  .map(other -> "; engine " + other.name() + " has " + wanted.label())
                  .collect(Collectors.joining()));
    }
    return wanted;
  }

  static String labels(Set<Precision> precisions) {
    return new TreeSet<>(precisions)
        .stream().map(Precision::label).collect(Collectors.joining(", "));
  }

  /**
   * What computes.
   *
   * @return the engine of all parts
   */
  public Engine engine() {
    return engine;
  }

  /**
   * Where parts are computed that the caller does not name.
   *
   * @return for instance {@code cpu}
   */
  public String device() {
    return device;
  }

  /**
   * What parts are computed in that the caller does not name.
   *
   * @return never {@code AUTO}
   */
  public Precision precision() {
    return precision;
  }

  /**
   * How to compile a part.
   *
   * @param part its name
   * @return device, precision and so on
   * @throws EngineException if the engine has not what the caller asked for this part
   */
  public CompileOptions of(String part) {
    String place = device(engine, options.partDevices().getOrDefault(part, device));
    Precision asked = options.partPrecisions().get(part);
    Precision chosen;
    if (asked != null && asked != Precision.AUTO) {
      chosen = precision(engine, place, asked);
    } else if (precision == Precision.INT4 && part.contains("vision")) {
      chosen = precision(engine, place, Precision.AUTO);
    } else {
      chosen = precision(engine, place, precision);
    }
    return new CompileOptions(place, options.mapped(), options.threads(), chosen);
  }

  /**
   * How weights are brought into few bits.
   *
   * @return what the caller asked for
   */
  Quantization quantization() {
    return options.quantization();
  }

  /**
   * How to compile a part in single precision, whatever the caller asked for.
   *
   * @param part its name
   * @return the part's own device and so on
   * @throws EngineException if the engine has no single precision there
   */
  CompileOptions inSinglePrecision(String part) {
    CompileOptions asked = of(part);
    return new CompileOptions(
        asked.device(),
        asked.mapped(),
        asked.threads(),
        precision(engine, asked.device(), Precision.FP32));
  }

  /**
   * Whether a part computes with the codes of a checkpoint that was published in few bits: unless
   * the caller asked for floating point numbers.
   *
   * @param part its name
   * @return false if such weights are to be unpacked
   */
  boolean keepsPublishedCodes(String part) {
    Precision asked = options.partPrecisions().getOrDefault(part, options.precision());
    return asked == Precision.AUTO || asked == Precision.INT8 || asked == Precision.INT4;
  }

  /**
   * Fails if the caller named a part that the model does not have.
   *
   * @param parts the model's parts
   * @throws InvalidRequestException naming both
   */
  void requireKnown(Set<String> parts) {
    requireKnown(options, parts);
  }

  static void requireKnown(LoadOptions options, Set<String> parts) {
    Set<String> named = new TreeSet<>(options.namedParts());
    named.removeAll(parts);
    if (!named.isEmpty()) {
      throw new InvalidRequestException(
          "device or precision of part "
              + String.join(", ", named)
              + ": the model has no such part; it has "
              + String.join(", ", new TreeSet<>(parts)));
    }
  }
}
