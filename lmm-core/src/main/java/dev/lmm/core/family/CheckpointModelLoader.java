package dev.lmm.core.family;

import dev.lmm.Attention;
import dev.lmm.Bundled;
import dev.lmm.Captioner;
import dev.lmm.Chat;
import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.DevicePlan;
import dev.lmm.Encoder;
import dev.lmm.Estimate;
import dev.lmm.EstimateOptions;
import dev.lmm.Generator;
import dev.lmm.Grounder;
import dev.lmm.Inspection;
import dev.lmm.Matcher;
import dev.lmm.Model;
import dev.lmm.ModelInfo;
import dev.lmm.Precision;
import dev.lmm.Queries;
import dev.lmm.Summary;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.Gpus;
import dev.lmm.core.engine.NativeFiles;
import dev.lmm.core.graph.WeightSource;
import dev.lmm.core.hub.Bundle;
import dev.lmm.core.hub.BundleWriter;
import dev.lmm.core.hub.HubId;
import dev.lmm.core.hub.HubOutline;
import dev.lmm.core.json.Json;
import dev.lmm.core.text.TokenizerNatives;
import dev.lmm.spi.LoadOptions;
import dev.lmm.spi.ModelLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the folder of an id, the family of its config, an engine, and puts them together. */
public final class CheckpointModelLoader implements ModelLoader {
  private static final Logger LOG = LoggerFactory.getLogger(CheckpointModelLoader.class);

  /** Why there is no GPU is said once a process. */
  private static final AtomicBoolean TOLD = new AtomicBoolean();

  /** For {@link ServiceLoader}. */
  public CheckpointModelLoader() {}

  @Override
  public Model load(String id, LoadOptions asked) {
    Check.notNull(id, "id");
    LoadOptions options = placed(id, asked);
    long start = System.nanoTime();
    LoadEvent event = new LoadEvent();
    event.begin();
    ModelFolders.Found found = ModelFolders.find(id, options);
    Path folder = found.folder();
    Described described = Described.of(folder);
    Placement placement = Placement.of(options);
    boolean random = options.randomWeights().isPresent();
    ModelInfo info =
        new ModelInfo(
            id,
            described.modelType(),
            placement.engine().name(),
            placement.device(),
            placement.precision(),
            random);
    CheckpointParts files = new CheckpointParts(options.randomWeights(), folder, found.variant());
    Model model = null;
    try {
      Set<String> parts = new TreeSet<>();
      model =
          described
              .family()
              .load(new LoadContext(info, folder, described.config(), files, placement, parts));
      if (!parts.containsAll(options.namedParts())) {
        // Some parts are compiled when they are first needed.
        described
            .family()
            .stages(
                new StageContext(
                    folder,
                    described.config(),
                    EstimateOptions.DEFAULT,
                    random ? part -> WeightSource.anything() : files::open))
            .forEach(stage -> parts.add(stage.part()));
      }
      placement.requireKnown(parts);
    } catch (ArithmeticException e) {
      files.close();
      throw new CheckpointException(
          described.config().source() + ": its sizes make a tensor of more than 2^63 numbers", e);
    } catch (RuntimeException | Error e) {
      if (model != null) {
        model.close();
      }
      files.close();
      throw e;
    }
    event.end();
    if (event.shouldCommit()) {
      event.tell(info);
      event.commit();
    }
    LOG.debug(
        "Loaded {} ({}) on {} in {} ms",
        id,
        described.modelType(),
        placement.engine().name(),
        (System.nanoTime() - start) / 1_000_000);
    return new LoadedModel(model, files);
  }

  /** With {@code auto} and a card: the devices that the plan gives the parts. */
  private LoadOptions placed(String id, LoadOptions options) {
    if (!options.device().equals("auto")) {
      return options;
    }
    Engine engine = Engines.choose(options.engine(), options.device(), options.precision());
    if (engine.status().devices().size() < 2) {
      if (!engine.withoutGpu().isEmpty() && TOLD.compareAndSet(false, true)) {
        LOG.info("device auto: cpu. {}", engine.withoutGpu());
      }
      return options;
    }
    // What a plan is made from must be here before the model is.
    ModelFolders.find(id, options);
    LoadOptions placed = options;
    for (DevicePlan.Part part : plan(id, options, EstimateOptions.DEFAULT).parts()) {
      LOG.info("device auto: {} on {}: {}", part.name(), part.device(), part.reason());
      placed = placed.withDevice(part.name(), part.device());
    }
    return placed.withDevice("cpu");
  }

  @Override
  public DevicePlan plan(String id, LoadOptions options, EstimateOptions size) {
    Check.notNull(id, "id");
    Engine engine = Engines.choose(options.engine(), options.device(), options.precision());
    Placement.device(engine, options.device());
    options.partDevices().values().forEach(device -> Placement.device(engine, device));
    boolean auto = options.device().equals("auto");
    List<DevicePlan.Device> devices = new ArrayList<>();
    Map<String, Estimate> estimates = new LinkedHashMap<>();
    for (String name : engine.status().devices()) {
      boolean able =
          options.precision() == Precision.AUTO
              || engine.precisions(name).contains(options.precision());
      if (!name.equals("cpu") && (!able || (!auto && !name.equals(options.device())))) {
        continue;
      }
      LoadOptions there =
          options
              .withEngine(engine.name())
              .withDevice(name)
              .withPrecision(
                  options.precision() == Precision.AUTO ? best(engine, name) : options.precision());
      for (String part : options.partDevices().keySet()) {
        there = there.withDevice(part, name);
      }
      Estimate estimate = estimate(id, there, size);
      estimates.put(name, estimate);
      devices.add(device(name, estimate.available()));
    }
    Map<String, String> asked = new LinkedHashMap<>(options.partDevices());
    if (!auto) {
      estimates
          .get("cpu")
          .parts()
          .forEach(part -> asked.putIfAbsent(part.name(), options.device()));
    }
    return Planner.plan(engine.name(), devices, estimates, asked, engine.withoutGpu());
  }

  private static DevicePlan.Device device(String name, long free) {
    for (Gpus.Card card : name.equals("cpu") ? List.<Gpus.Card>of() : Gpus.find().cards()) {
      if (card.device().equals(name)) {
        return new DevicePlan.Device(name, card.name(), card.free());
      }
    }
    return new DevicePlan.Device(name, "", free);
  }

  private static Precision best(Engine engine, String device) {
    Set<Precision> has = engine.precisions(device);
    return !device.equals("cpu") && has.contains(Precision.BF16) ? Precision.BF16 : Precision.FP32;
  }

  @Override
  public Bundled bundle(List<String> ids, LoadOptions options, boolean natives, Path file) {
    List<BundleWriter.Source> sources = new ArrayList<>();
    for (String id : Check.notNull(ids, "ids")) {
      ModelFolders.Found found = ModelFolders.find(id, options);
      sources.add(
          new BundleWriter.Source(name(id, found.folder()), found.folder(), found.variant()));
    }
    List<NativeFiles> libraries = new ArrayList<>();
    if (natives) {
      for (Engine engine : Engines.all()) {
        engine.natives().ifPresent(libraries::add);
      }
      libraries.add(TokenizerNatives.find());
    }
    libraries.sort(Comparator.comparing(NativeFiles::library));
    return BundleWriter.write(sources, libraries, Check.notNull(file, "file"), options.download());
  }

  /** What a model is called away from here: no folder of this machine, but the exact commit. */
  private static String name(String id, Path folder) {
    Path path = Path.of(id).toAbsolutePath().normalize();
    if (!Files.exists(path) && HubId.looksLike(id)) {
      return HubId.parse(id).repository() + "@" + folder.getFileName();
    }
    return Check.notNull(path.getFileName(), "id").toString();
  }

  @Override
  public List<String> useNatives(Path bundle) {
    return Bundle.open(bundle).useNatives();
  }

  @Override
  public Estimate estimate(String id, LoadOptions options, EstimateOptions size) {
    Check.notNull(id, "id");
    HubOutline outline = ModelFolders.outline(id, options);
    Path folder = outline.folder();
    Described described = Described.of(folder);
    // Layers that were published in few bits have other tensors, of which the config says enough.
    boolean packed = described.config().hasValue("quantization_config");
    LoadOptions planned =
        packed && options.precision() == Precision.AUTO
            ? options.withPrecision(Precision.INT4)
            : options;
    boolean shapeless = packed || options.randomWeights().isPresent();
    Map<Path, WeightSource> headers = outline.headers();
    try (CheckpointParts files =
        new CheckpointParts(OptionalLong.empty(), folder, options.download().variant())) {
      StageContext context =
          new StageContext(
              folder,
              described.config(),
              size,
              part -> {
                if (headers != null && !packed) {
                  return headers.getOrDefault(part, WeightSource.anything());
                }
                return shapeless || !CheckpointFiles.isComplete(part, "")
                    ? WeightSource.anything()
                    : files.open(part);
              });
      return Estimator.of(id, described.modelType(), described.family(), context, planned);
    } catch (ArithmeticException e) {
      throw new CheckpointException(
          described.config().source() + ": its sizes make a tensor of more than 2^63 numbers", e);
    }
  }

  /** A folder whose config names a family that is here. */
  private record Described(Json config, String modelType, ModelFamily family) {
    static Described of(Path folder) {
      boolean pipeline =
          !Files.isRegularFile(folder.resolve("config.json"))
              && Files.isRegularFile(folder.resolve("model_index.json"));
      Path configFile = folder.resolve(pipeline ? "model_index.json" : "config.json");
      if (!Files.isRegularFile(configFile)) {
        throw new CheckpointException(
            configFile + ": no such file; is " + folder + " the folder of a checkpoint?");
      }
      Json config = Json.parse(configFile);
      String key = pipeline ? "_class_name" : "model_type";
      String modelType = config.stringAt(key);
      return new Described(
          config, modelType, CheckpointModelLoader.family(key, modelType, configFile));
    }
  }

  private static ModelFamily family(String key, String modelType, Path configFile) {
    TreeMap<String, ModelFamily> known = new TreeMap<>();
    for (ModelFamily family :
        ServiceLoader.load(ModelFamily.class, CheckpointModelLoader.class.getClassLoader())) {
      family.modelTypes().forEach(type -> known.put(type, family));
      family.pipelines().forEach(type -> known.put(type, family));
    }
    ModelFamily family = known.get(modelType);
    if (family == null) {
      throw new UnsupportedModelException(
          configFile
              + ": "
              + key
              + " is "
              + modelType
              + "; the families on the class path load "
              + (known.isEmpty() ? "nothing (add for instance dev.lmm:lmm-clip)" : known.keySet()));
    }
    return family;
  }

  /** A model together with the files it was loaded from. */
  private record LoadedModel(Model model, CheckpointParts files) implements Model {
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
    public Generator generator() {
      return model.generator();
    }

    @Override
    public Captioner captioner() {
      return model.captioner();
    }

    @Override
    public Matcher matcher() {
      return model.matcher();
    }

    @Override
    public Queries queries() {
      return model.queries();
    }

    @Override
    public Attention attention() {
      return model.attention();
    }

    @Override
    public Chat chat() {
      return model.chat();
    }

    @Override
    public Grounder grounder() {
      return model.grounder();
    }

    @Override
    public void close() {
      model.close();
      files.close();
    }
  }
}
