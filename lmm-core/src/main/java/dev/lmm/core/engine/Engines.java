package dev.lmm.core.engine;

import dev.lmm.EngineException;
import dev.lmm.Precision;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The engines on the class path. Thread-safe. */
public final class Engines {
  private static final List<Engine> ALL =
      ServiceLoader.load(Engine.class, Engines.class.getClassLoader()).stream()
          .map(ServiceLoader.Provider::get)
          .sorted(Comparator.comparingInt(Engine::priority).reversed())
          .toList();

  private Engines() {}

  /**
   * All engines, whether they can run here or not.
   *
   * @return by falling priority
   */
  public static List<Engine> all() {
    return ALL;
  }

  /**
   * Chooses an engine.
   *
   * @param name {@code auto} for the best that can run, or a name
   * @return the engine
   * @throws EngineException if there is none of that name, or it cannot run; says why
   */
  public static Engine choose(String name) {
    return choose(name, "auto", Precision.AUTO);
  }

  /**
   * Chooses an engine that can do the work asked for.
   *
   * @param name {@code auto} for the best that can run, or a name
   * @param device {@code auto} or a device that an engine chosen by {@code auto} must have
   * @param precision {@code AUTO} or a precision that an engine chosen by {@code auto} should have;
   *     if none has it, the best that can run is taken, which will say what it has
   * @return the engine
   * @throws EngineException if there is none of that name, or it cannot run; says why
   */
  public static Engine choose(String name, String device, Precision precision) {
    if (name.equals("auto")) {
      StringBuilder reasons = new StringBuilder();
      Engine best = null;
      for (Engine engine : ALL) {
        if (engine.priority() == 0) {
          // The interpreter is an oracle, far too slow to be taken without being asked for.
          continue;
        }
        EngineStatus status = engine.status();
        if (status.available()) {
          best = best == null ? engine : best;
          if (fits(engine, status, device, precision)) {
            return engine;
          }
          continue;
        }
        reasons.append("; ").append(engine.name()).append(": ").append(status.detail());
      }
      if (best != null) {
        return best;
      }
      throw new EngineException(
          "No engine can run here"
              + (reasons.isEmpty()
                  ? ": none is on the class path; add the artifact dev.lmm:lmm-onnx"
                  : reasons)
              + ". The slow interpreter is there if asked for by its name, reference");
    }
    for (Engine engine : ALL) {
      if (engine.name().equals(name)) {
        EngineStatus status = engine.status();
        if (!status.available()) {
          throw new EngineException("Engine " + name + " cannot run here: " + status.detail());
        }
        return engine;
      }
    }
    throw new EngineException(
        "There is no engine "
            + name
            + "; on the class path are auto, "
            + ALL.stream().map(Engine::name).collect(Collectors.joining(", ")));
  }

  /**
   * Fails if an engine lacks a device or a precision; the message says what it has.
   *
   * @param engine the engine
   * @param options what is asked for
   * @throws EngineException if the engine does not compute there, or not in that
   */
  public static void requireSupported(Engine engine, CompileOptions options) {
    Set<Precision> supported = engine.precisions(options.device());
    // It may be one that would compute there if all it needs were here.
    if (supported.isEmpty() || !engine.status().devices().contains(options.device())) {
      throw new EngineException(
          "engine "
              + engine.name()
              + " does not compute on "
              + options.device()
              + "; it computes on "
              + String.join(", ", engine.status().devices())
              + reason(engine, options.device()));
    }
    if (!supported.contains(options.precision())) {
      throw new EngineException(
          "engine "
              + engine.name()
              + " has no "
              + options.precision().label()
              + " on "
              + options.device()
              + "; it has "
              + new TreeSet<>(supported)
                  .stream().map(Precision::label).collect(Collectors.joining(", ")));
    }
  }

  /**
   * Why an engine lacks a card.
   *
   * @param engine the engine
   * @param device what was asked for
   * @return a colon and the reason, or nothing
   */
  public static String reason(Engine engine, String device) {
    String why = device.startsWith("cuda") ? engine.withoutGpu() : "";
    return why.isEmpty() ? "" : ": " + why;
  }

  private static boolean fits(
      Engine engine, EngineStatus status, String device, Precision precision) {
    if (!device.equals("auto") && !status.devices().contains(device)) {
      return false;
    }
    String place = device.equals("auto") ? status.devices().get(0) : device;
    return precision == Precision.AUTO || engine.precisions(place).contains(precision);
  }
}
