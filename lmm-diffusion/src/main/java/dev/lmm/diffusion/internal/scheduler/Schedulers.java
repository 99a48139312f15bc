package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.InvalidRequestException;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.json.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Schedulers by name. Stateless and thread-safe. */
public final class Schedulers {
  /** Our names, and diffusers' classes of them; the first name of a class is its plain form. */
  private static final Map<String, String> CLASSES = new LinkedHashMap<>();

  static {
    CLASSES.put("ddim", "DDIMScheduler");
    CLASSES.put("ddpm", "DDPMScheduler");
    CLASSES.put("pndm", "PNDMScheduler");
    CLASSES.put("lms", "LMSDiscreteScheduler");
    CLASSES.put("euler", "EulerDiscreteScheduler");
    CLASSES.put("euler-a", "EulerAncestralDiscreteScheduler");
    CLASSES.put("heun", "HeunDiscreteScheduler");
    CLASSES.put("dpm2", "KDPM2DiscreteScheduler");
    CLASSES.put("dpm2-a", "KDPM2AncestralDiscreteScheduler");
    CLASSES.put("dpmpp-2m", "DPMSolverMultistepScheduler");
    CLASSES.put("dpmpp-2m-karras", "DPMSolverMultistepScheduler");
    CLASSES.put("dpmpp-2m-sde", "DPMSolverMultistepScheduler");
    CLASSES.put("dpmpp-sde", "DPMSolverSDEScheduler");
    CLASSES.put("unipc", "UniPCMultistepScheduler");
    CLASSES.put("deis", "DEISMultistepScheduler");
    CLASSES.put("lcm", "LCMScheduler");
  }

  private Schedulers() {}

  /**
   * The names there are.
   *
   * @return in the order of the documentation
   */
  public static List<String> names() {
    return List.copyOf(CLASSES.keySet());
  }

  /**
   * The name of the scheduler a checkpoint was published with.
   *
   * @param json its scheduler_config.json
   * @return one of {@link #names}
   * @throws UnsupportedModelException if there is no such scheduler here
   */
  public static String nameOf(Json json) {
    String wanted = json.stringAt("_class_name");
    String name =
        CLASSES.entrySet().stream()
            .filter(e -> e.getValue().equals(wanted))
            .map(Map.Entry::getKey)
            .findFirst()
            .orElseThrow(
                () ->
                    new UnsupportedModelException(
                        json.at("_class_name")
                            .unexpected("one of " + CLASSES.values())
                            .getMessage()));
    if (name.equals("dpmpp-2m")) {
      String algorithm = json.stringAt("algorithm_type", "dpmsolver++");
      return switch (algorithm) {
        case "dpmsolver++" -> name;
        case "sde-dpmsolver++" -> "dpmpp-2m-sde";
        default ->
            throw new UnsupportedModelException(
                json.at("algorithm_type")
                    .unexpected("dpmsolver++ or sde-dpmsolver++")
                    .getMessage());
      };
    }
    return name;
  }

  /**
   * A scheduler for one picture.
   *
   * @param json the checkpoint's scheduler_config.json; what it does not say is the scheduler's own
   *     default
   * @param name one of {@link #names}
   * @param sigmas {@code karras}, {@code exponential}, {@code beta}, or null for the file's
   * @param steps number of steps, at least 1
   * @param seed of noise that is not drawn from the picture's generator; its low 32 bits count
   * @return the scheduler
   * @throws InvalidRequestException if there is no such scheduler, or the options do not fit it
   */
  public static Scheduler of(
      Json json, String name, @Nullable String sigmas, int steps, long seed) {
    if (!CLASSES.containsKey(name)) {
      throw new InvalidRequestException("scheduler: is " + name + "; expected one of " + names());
    }
    SchedulerConfig config =
        SchedulerConfig.of(
            json,
            switch (name) {
              case "ddim", "ddpm", "lcm" -> SchedulerConfig.ZeroSnr.EXACT;
              case "euler", "euler-a", "dpmpp-2m", "dpmpp-2m-karras", "dpmpp-2m-sde", "unipc" ->
                  SchedulerConfig.ZeroSnr.TRACE;
              default -> SchedulerConfig.ZeroSnr.IGNORED;
            });
    if (steps < 1 || steps > config.trainSteps()) {
      throw new InvalidRequestException(
          "steps: are " + steps + "; expected 1 to " + config.trainSteps());
    }
    if (sigmas != null && List.of("ddim", "ddpm", "pndm", "lcm", "euler-a").contains(name)) {
      throw new InvalidRequestException(
          "sigmas: the scheduler " + name + " has none to space; leave them out");
    }
    String spaced = sigmas == null ? config.sigmas() : sigmas;
    return switch (name) {
      case "ddim" -> new Ddim(config, steps);
      case "ddpm" -> new Ddpm(config, steps);
      case "pndm" -> new Pndm(config, steps);
      case "lms" -> new Lms(config, steps, spaced);
      case "euler" -> new Euler(config, steps, spaced, false);
      case "euler-a" -> new Euler(config, steps, null, true);
      case "heun" -> new Heun(config, steps, spaced);
      case "dpm2" -> new Dpm2(config, steps, spaced, false);
      case "dpm2-a" -> new Dpm2(config, steps, spaced, true);
      case "dpmpp-2m" -> new DpmSolver(config, steps, spaced, false);
      case "dpmpp-2m-karras" -> new DpmSolver(config, steps, "karras", false);
      case "dpmpp-2m-sde" -> new DpmSolver(config, steps, spaced, true);
      case "dpmpp-sde" -> new DpmSolverSde(config, steps, spaced, seed & 0xFFFFFFFFL);
      case "unipc" -> new UniPc(config, steps, spaced);
      case "deis" -> new Deis(config, steps, spaced);
      default -> new Lcm(config, steps);
    };
  }
}
