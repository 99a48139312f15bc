package dev.lmm.core.engine;

import dev.lmm.EngineException;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
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
    if (name.equals("auto")) {
      StringBuilder reasons = new StringBuilder();
      for (Engine engine : ALL) {
        if (engine.priority() == 0) {
          // The interpreter is an oracle, far too slow to be taken without being asked for.
          continue;
        }
        EngineStatus status = engine.status();
        if (status.available()) {
          return engine;
        }
        reasons.append("; ").append(engine.name()).append(": ").append(status.detail());
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
}
