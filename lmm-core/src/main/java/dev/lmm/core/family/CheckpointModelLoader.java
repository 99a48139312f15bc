package dev.lmm.core.family;

import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.Encoder;
import dev.lmm.Inspection;
import dev.lmm.LmmException;
import dev.lmm.Model;
import dev.lmm.ModelInfo;
import dev.lmm.Summary;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.checkpoint.RandomWeights;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.json.Json;
import dev.lmm.spi.LoadOptions;
import dev.lmm.spi.ModelLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the folder of an id, the family of its config, an engine, and puts them together. */
public final class CheckpointModelLoader implements ModelLoader {
  private static final Logger LOG = LoggerFactory.getLogger(CheckpointModelLoader.class);

  /** For {@link ServiceLoader}. */
  public CheckpointModelLoader() {}

  @Override
  public Model load(String id, LoadOptions options) {
    Check.notNull(id, "id");
    long start = System.nanoTime();
    Path folder = ModelFolders.find(id, options);
    Path configFile = folder.resolve("config.json");
    if (!Files.isRegularFile(configFile)) {
      throw new CheckpointException(
          configFile + ": no such file; is " + folder + " the folder of a checkpoint?");
    }
    Json config = Json.parse(configFile);
    String modelType = config.stringAt("model_type");
    ModelFamily family = family(modelType, configFile);
    Placement placement = Placement.of(options);
    boolean random = options.randomWeights().isPresent();
    ModelInfo info =
        new ModelInfo(
            id,
            modelType,
            placement.engine().name(),
            placement.device(),
            placement.precision(),
            random);
    AutoCloseable files;
    WeightStore weights;
    if (random) {
      RandomWeights made = new RandomWeights(options.randomWeights().getAsLong());
      files = made;
      weights = made;
    } else {
      var opened = CheckpointFiles.open(folder);
      files = opened;
      weights = opened;
    }
    Model model = null;
    try {
      Set<String> parts = new TreeSet<>();
      model = family.load(new LoadContext(info, folder, config, weights, placement, parts));
      placement.requireKnown(parts);
    } catch (ArithmeticException e) {
      close(files);
      throw new CheckpointException(
          configFile + ": its sizes make a tensor of more than 2^63 numbers", e);
    } catch (RuntimeException | Error e) {
      if (model != null) {
        model.close();
      }
      close(files);
      throw e;
    }
    LOG.debug(
        "Loaded {} ({}) on {} in {} ms",
        id,
        modelType,
        placement.engine().name(),
        (System.nanoTime() - start) / 1_000_000);
    return new LoadedModel(model, files);
  }

  private static ModelFamily family(String modelType, Path configFile) {
    TreeMap<String, ModelFamily> known = new TreeMap<>();
    for (ModelFamily family :
        ServiceLoader.load(ModelFamily.class, CheckpointModelLoader.class.getClassLoader())) {
      family.modelTypes().forEach(type -> known.put(type, family));
    }
    ModelFamily family = known.get(modelType);
    if (family == null) {
      throw new UnsupportedModelException(
          configFile
              + ": model_type is "
              + modelType
              + "; the families on the class path load "
              + (known.isEmpty() ? "nothing (add for instance dev.lmm:lmm-clip)" : known.keySet()));
    }
    return family;
  }

  private static void close(AutoCloseable files) {
    try {
      files.close();
    } catch (Exception e) {
      throw new LmmException("The checkpoint's files could not be closed", e);
    }
  }

  /** A model together with the files it was loaded from. */
  private record LoadedModel(Model model, AutoCloseable files) implements Model {
    @Override
    public ModelInfo info() {
      return model.info();
    }

    @Override
    public Summary summary() {
      return model.summary();
    }

    @Override
    public Inspection inspect() {
      return model.inspect();
    }

    @Override
    public Encoder encoder() {
      return model.encoder();
    }

    @Override
    public void close() {
      model.close();
      CheckpointModelLoader.close(files);
    }
  }
}
