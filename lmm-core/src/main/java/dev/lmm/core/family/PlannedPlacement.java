package dev.lmm.core.family;

import com.sun.management.OperatingSystemMXBean;
import dev.lmm.InvalidRequestException;
import dev.lmm.Precision;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.spi.LoadOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Where a model would be computed, and in what. Unlike {@link Placement} it refuses nothing that is
 * not here: memory can be estimated for a card one does not have.
 */
final class PlannedPlacement {
  private static final Path MEMORY = Path.of("/proc/meminfo");

  private final LoadOptions options;
  private final String engine;
  private final String device;
  private final Precision precision;

  private PlannedPlacement(LoadOptions options, String engine, String device, Precision precision) {
    this.options = options;
    this.engine = engine;
    this.device = device;
    this.precision = precision;
  }

  static PlannedPlacement of(LoadOptions options) {
    String device = options.device().equals("auto") ? "cpu" : options.device();
    if (!device.matches("cpu|cuda:[0-9]{1,2}")) {
      throw new InvalidRequestException(
          "device: is " + device + "; expected auto, cpu or cuda: and a number");
    }
    Precision precision = options.precision();
    if (precision == Precision.AUTO) {
      precision = rest(device);
    }
    return new PlannedPlacement(
        options, engine(options.engine(), device, precision), device, precision);
  }

  /** The engine asked for, or the first that would compute there and in that. */
  private static String engine(String name, String device, Precision precision) {
    if (!name.equals("auto")) {
      return name;
    }
    for (Engine engine : Engines.all()) {
      if (engine.priority() > 0 && engine.precisions(device).contains(precision)) {
        return engine.name();
      }
    }
    return device.equals("cpu") ? "onnx" : "pytorch";
  }

  /** Whether blocks of 8 bits stay such, which an engine that is not here is trusted with. */
  boolean multipliesBlocksOf8() {
    return Engines.all().stream()
        .filter(candidate -> candidate.name().equals(engine))
        .allMatch(candidate -> candidate.multiplies(QuantizedTensor.Layout.BLOCKS, 8));
  }

  /** What is computed in where nothing is asked for. */
  private static Precision rest(String device) {
    return device.equals("cpu") ? Precision.FP32 : Precision.BF16;
  }

  String engine() {
    return engine;
  }

  String device() {
    return device;
  }

  Precision precision() {
    return precision;
  }

  String device(String part) {
    String asked = options.partDevices().getOrDefault(part, device);
    return asked.equals("auto") ? device : asked;
  }

  /** As {@link Placement#of} chooses. */
  Precision precision(String part) {
    Precision asked = options.partPrecisions().get(part);
    if (asked != null && asked != Precision.AUTO) {
      return asked;
    }
    return precision == Precision.INT4 && part.contains("vision") ? rest(device(part)) : precision;
  }

  /** Bytes of the numbers that are not in few bits. */
  static int floatBytes(String device, Precision precision) {
    return switch (precision) {
      case BF16, FP16 -> 2;
      case INT8, INT4 -> device.equals("cpu") ? 4 : 2;
      default -> 4;
    };
  }

  /** What Java and an engine's own code take before any model is loaded, measured on Linux. */
  long runtime() {
    if (!device.equals("cpu")) {
      return 0;
    }
    return engine.equals("pytorch") ? 250_000_000 : 90_000_000;
  }

  /** Bytes that are free on the device, or -1. */
  long available() {
    if (!device.equals("cpu")
        || !(ManagementFactory.getOperatingSystemMXBean()
            instanceof OperatingSystemMXBean system)) {
      return -1;
    }
    long free = system.getFreeMemorySize();
    try {
      // Java counts what the kernel would take back from its caches as taken.
      Map<String, Long> kernel = Files.isReadable(MEMORY) ? read(MEMORY) : Map.of();
      long total = kernel.getOrDefault("MemTotal", 0L);
      // Unless a container has less than the machine: the kernel's figures are the machine's.
      if (total <= system.getTotalMemorySize()) {
        free = Math.max(free, kernel.getOrDefault("MemAvailable", 0L));
      }
    } catch (IOException e) {
      // Java's figure is the safe one.
    }
    return free;
  }

  private static Map<String, Long> read(Path file) throws IOException {
    Map<String, Long> bytes = new HashMap<>();
    for (String line : Files.readAllLines(file)) {
      String[] field = line.split(":?\\s+", -1);
      if (field.length == 3 && field[1].matches("[0-9]{1,15}")) {
        bytes.put(field[0], Long.parseLong(field[1]) * 1024);
      }
    }
    return bytes;
  }

  void requireKnown(Set<String> parts) {
    Placement.requireKnown(options, parts);
  }
}
