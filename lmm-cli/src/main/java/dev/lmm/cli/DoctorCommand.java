package dev.lmm.cli;

import dev.lmm.Estimate;
import dev.lmm.EstimateOptions;
import dev.lmm.LmmException;
import dev.lmm.Models;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.EngineStatus;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.Gpus;
import dev.lmm.core.engine.Platform;
import dev.lmm.core.hub.BundledModels;
import dev.lmm.core.hub.CacheFolder;
import dev.lmm.core.hub.HubOptions;
import dev.lmm.core.text.TokenizerNatives;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code lmm doctor}. */
@Command(
    name = "doctor",
    description = "What is there: engines, devices, natives; what is missing and how to get it.")
final class DoctorCommand extends OutputCommand {
  @Parameters(
      arity = "0..*",
      paramLabel = "MODEL",
      description =
          "Models to be looked at too: whether they are here, whole and known, and fit into memory."
              + " Nothing is downloaded.")
  List<String> models = List.of();

  @Override
  public Integer call() {
    List<Map<String, Object>> engines = new ArrayList<>();
    Set<String> devices = new LinkedHashSet<>();
    Map<String, EngineStatus> statuses = new LinkedHashMap<>();
    for (Engine engine : Engines.all()) {
      EngineStatus status = engine.status();
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("name", engine.name());
      entry.put("available", status.available());
      entry.put("version", status.version());
      entry.put("devices", status.devices());
      entry.put("detail", status.detail());
      engines.add(entry);
      statuses.put(engine.name(), status);
      devices.addAll(status.devices());
    }
    Map<String, Path> caches = new LinkedHashMap<>();
    caches.put("LMM_CACHE", CacheFolder.of(""));
    caches.put("HF_HUB_CACHE", HubOptions.fromEnvironment().cache());
    List<Checkup.Problem> problems =
        new ArrayList<>(
            new Checkup(
                    Platform.current(),
                    Runtime.version().feature(),
                    Runtime.getRuntime().maxMemory(),
                    caches,
                    statuses,
                    TokenizerNatives.find())
                .problems());
    Map<String, String> sound = new LinkedHashMap<>();
    models.forEach(model -> look(model, problems, sound));
    Map<String, Object> document = new LinkedHashMap<>();
    document.put(
        "problems",
        problems.stream().map(p -> Map.of("what", p.what(), "cure", p.cure())).toList());
    if (!models.isEmpty()) {
      document.put("models", sound);
    }
    document.put("engines", engines);
    document.put("devices", devices);
    Gpus gpus = Gpus.find();
    document.put("gpus", gpus.cards().stream().map(DoctorCommand::card).toList());
    document.put("java", System.getProperty("java.version"));
    document.put("platform", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    document.put("processors", Runtime.getRuntime().availableProcessors());
    document.put("maxHeapBytes", Runtime.getRuntime().maxMemory());
    document.put("cache", CacheFolder.of("").toString());
    document.put("bundledModels", BundledModels.names());
    return print(document, () -> forPeople(document, engines, gpus, problems, sound));
  }

  private static Map<String, Object> card(Gpus.Card card) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("device", card.device());
    entry.put("name", card.name());
    entry.put("totalBytes", card.total());
    entry.put("freeBytes", card.free());
    return entry;
  }

  /** What would keep a model from being loaded, or what it takes. */
  private static void look(
      String model, List<Checkup.Problem> problems, Map<String, String> sound) {
    try {
      Estimate estimate = Models.model(model).offline().estimate(EstimateOptions.DEFAULT);
      Path folder = Path.of(model);
      if (Files.isRegularFile(folder.resolve("config.json"))) {
        CheckpointFiles.open(folder).close(); // the estimate does without weights
      }
      String takes =
          Sizes.of(estimate.total()) + " in " + estimate.info().precision().label() + " precision";
      if (estimate.available() >= 0 && !estimate.fits()) {
        problems.add(
            new Checkup.Problem(
                model
                    + " takes "
                    + takes
                    + ", and "
                    + Sizes.of(estimate.available())
                    + " are free on "
                    + estimate.info().device(),
                "see lmm estimate " + model + " for other precisions, or take a smaller model"));
      } else {
        sound.put(model, takes);
      }
    } catch (LmmException | InvalidPathException e) {
      problems.add(Checkup.Problem.told(String.valueOf(e.getMessage())));
    }
  }

  private void forPeople(
      Map<String, Object> document,
      List<Map<String, Object>> engines,
      Gpus gpus,
      List<Checkup.Problem> problems,
      Map<String, String> sound) {
    for (Checkup.Problem problem : problems) {
      output().line("[!!] " + problem);
    }
    output()
        .line(
            "Java "
                + document.get("java")
                + " on "
                + document.get("platform")
                + ", "
                + document.get("processors")
                + " processors");
    for (Map<String, Object> engine : engines) {
      output()
          .line(
              (Boolean.TRUE.equals(engine.get("available")) ? "[ok] " : "[--] ")
                  + engine.get("name")
                  + " "
                  + engine.get("version")
                  + " "
                  + engine.get("devices")
                  + ": "
                  + engine.get("detail"));
    }
    for (Gpus.Card card : gpus.cards()) {
      output()
          .line(
              "[ok] "
                  + card.device()
                  + " "
                  + card.name()
                  + ": "
                  + Sizes.of(card.free())
                  + " of "
                  + Sizes.of(card.total())
                  + " free");
    }
    if (gpus.cards().isEmpty()) {
      output().line("[--] cuda: " + gpus.reason());
    }
    sound.forEach((model, takes) -> output().line("[ok] " + model + ": " + takes));
    output().line("cache: " + document.get("cache"));
    output().line("bundled models: " + document.get("bundledModels"));
  }
}
