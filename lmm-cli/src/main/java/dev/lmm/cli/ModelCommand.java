package dev.lmm.cli;

import dev.lmm.Check;
import dev.lmm.Image;
import dev.lmm.LoadRequest;
import dev.lmm.Model;
import dev.lmm.ModelInfo;
import dev.lmm.Models;
import dev.lmm.Precision;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What every command has that loads a model. */
abstract class ModelCommand extends OutputCommand {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description =
          "A hub id, a folder, a file that lmm bundle has written (FILE#NAME if it holds several),"
              + " or a bundled model such as tiny-clip.")
  String model = "";

  @Option(names = "--engine", description = "auto (default), onnx, pytorch or reference.")
  String engine = "auto";

  @Option(names = "--device", description = "auto (default), cpu or cuda:N.")
  String device = "auto";

  @Option(
      names = "--precision",
      split = ",",
      description = "auto (default), fp32, bf16, fp16, int8 or int4; bench takes several.")
  List<Precision> precisions = List.of(Precision.AUTO);

  @Option(names = "--threads", description = "Threads of the engine; all cores by default.")
  int threads;

  @Option(names = "--offline", description = "Never uses the network.")
  boolean offline;

  @Option(
      names = "--bundle-natives",
      description =
          "Loads the native libraries that the bundle carries: they are code, so only of one whose"
              + " maker you trust.")
  boolean bundleNatives;

  @Option(
      names = "--cache",
      paramLabel = "DIR",
      description = "The hub's cache; HF_HUB_CACHE and its like by default.")
  @Nullable Path cache;

  @Option(
      names = "--dry-random",
      description = "Makes up the weights: for a folder with config and tokenizer only.")
  boolean dryRandom;

  @CommandLine.Spec CommandLine.Model.@Nullable CommandSpec spec;

  /** The model as the options say. */
  final Model load() {
    if (precisions.size() != 1) {
      throw wrong("--precision lists " + precisions.size() + "; this command takes one");
    }
    return load(precisions.get(0));
  }

  /** The model as the options say, in one of their precisions. */
  final Model load(Precision precision) {
    if (bundleNatives) {
      int mark = model.lastIndexOf('#');
      Path whole = path(model);
      Models.useNatives(
          mark < 0 || Files.isRegularFile(whole) ? whole : path(model.substring(0, mark)));
    }
    LoadRequest<Model> request = request(precision);
    Progress progress = new Progress(output().err());
    if (Progress.wanted(this)) {
      request = request.onProgress((done, total) -> progress.show(model, done, total));
    }
    try {
      return request.load();
    } finally {
      progress.end();
    }
  }

  /** What the options ask for. */
  final LoadRequest<Model> request(Precision precision) {
    if (threads < 0) {
      throw wrong("--threads is " + threads + ", expected at least 1");
    }
    LoadRequest<Model> request =
        Models.model(model).engine(engine).device(device).precision(precision).threads(threads);
    if (offline) {
      request = request.offline();
    }
    if (dryRandom) {
      request = request.randomWeights(0);
    }
    if (cache != null) {
      request = request.cache(cache);
    }
    return request;
  }

  /** A document that begins with what was loaded. */
  static Map<String, Object> document(ModelInfo info) {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("model", info.id());
    document.put("engine", info.engine());
    document.put("device", info.device());
    document.put("precision", info.precision().name().toLowerCase(Locale.ROOT));
    if (info.randomWeights()) {
      document.put("randomWeights", true);
    }
    return document;
  }

  /** A line for people about weights that mean nothing. */
  final void warnOfRandomWeights(ModelInfo info) {
    if (info.randomWeights() && !json) {
      output().err().println("lmm: the weights are random; results mean nothing");
    }
  }

  final List<Image> read(List<String> files) {
    List<Image> images = new ArrayList<>(files.size());
    for (String file : files) {
      images.add(Image.read(path(file)));
    }
    return images;
  }

  final Path path(String file) {
    try {
      return Path.of(file);
    } catch (InvalidPathException e) {
      throw wrong("\"" + file + "\" is no path: " + e.getReason());
    }
  }

  final CommandLine.ParameterException wrong(String message) {
    return new CommandLine.ParameterException(Check.notNull(spec, "spec").commandLine(), message);
  }
}
