package dev.lmm.clip.internal;

import dev.lmm.Attention;
import dev.lmm.AttentionMap;
import dev.lmm.AttentionMap.Axis;
import dev.lmm.AttentionRequest;
import dev.lmm.Cancellation;
import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.ClosedException;
import dev.lmm.Encoder;
import dev.lmm.EngineException;
import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.Model;
import dev.lmm.ModelInfo;
import dev.lmm.Probability;
import dev.lmm.Summary;
import dev.lmm.core.engine.Halves;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.engine.reference.NonFinite;
import dev.lmm.core.family.EncoderBackend;
import dev.lmm.core.family.EncoderRole;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.Stage;
import dev.lmm.core.family.StageContext;
import dev.lmm.core.family.Summaries;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Flops;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import dev.lmm.core.text.Tokenizer;
import dev.lmm.core.text.Tokenizers;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** A loaded model: two towers, a tokenizer, and the numbers between them. Thread-safe. */
final class ClipModel implements Model, EncoderBackend<Image>, Inspection {
  private final ModelInfo info;
  private final Summary summary;
  private final ImageInput images;
  private final TextInput texts;
  private final Tokenizer tokenizer;
  private final WeightStore weights;
  private final Program vision;
  private final Program text;
  private final int dimension;
  private final double logitScale;
  private final double logitBias;
  private final Probability probability;
  private final ClipConfig config;
  private final ClipWatch watch;
  private volatile boolean closed;

  private ClipModel(
      LoadContext context,
      ClipConfig config,
      Summary summary,
      ImageInput images,
      TextInput texts,
      Tokenizer tokenizer,
      Program vision,
      Program text,
      int dimension,
      double logitScale,
      double logitBias,
      Probability probability) {
    this.info = context.info();
    this.config = config;
    this.watch = new ClipWatch(context, config);
    this.summary = summary;
    this.images = images;
    this.texts = texts;
    this.tokenizer = tokenizer;
    this.weights = context.weights();
    this.vision = vision;
    this.text = text;
    this.dimension = dimension;
    this.logitScale = logitScale;
    this.logitBias = logitBias;
    this.probability = probability;
  }

  static ClipModel load(LoadContext context) {
    ClipConfig config = ClipConfig.of(context.config());
    boolean clip = config.kind() == ClipConfig.Kind.CLIP;
    WeightUsage usage = new WeightUsage(context.weights(), context.config().source());
    Graph visionGraph = vision(config, usage);
    Graph textGraph = text(config, usage);
    double scale = Math.exp(scalar(context.weights(), usage, "logit_scale"));
    double bias = clip ? 0 : scalar(context.weights(), usage, "logit_bias");
    // Older files keep the positions 0, 1, 2, ... as a buffer.
    usage.requireAllRead(name -> name.endsWith(".position_ids"));

    ImageInput images = ProcessorConfig.read(context.folder(), config);
    Summary summary = summary(context, visionGraph, textGraph);
    List<AutoCloseable> opened = new ArrayList<>();
    try {
      Tokenizer tokenizer = Tokenizers.load(context.folder(), lowerCase(context.folder(), config));
      opened.add(tokenizer);
      TextInput texts =
          new TextInput(
              tokenizer,
              config.kind(),
              config.text().maxPositionEmbeddings(),
              config.text().eosTokenId(),
              clip ? 0 : padding(context.folder(), tokenizer));
      Program vision = context.compile(visionGraph);
      opened.add(vision);
      Program text = context.compile(textGraph);
      return new ClipModel(
          context,
          config,
          summary,
          images,
          texts,
          tokenizer,
          vision,
          text,
          (int) visionGraph.output("embedding").dim(1).fixed().orElseThrow(),
          scale,
          bias,
          clip ? Probability.SOFTMAX : Probability.SIGMOID);
    } catch (RuntimeException | Error e) {
      for (AutoCloseable resource : opened) {
        try {
          resource.close();
        } catch (Exception suppressed) {
          e.addSuppressed(suppressed);
        }
      }
      throw e;
    }
  }

  private static Graph vision(ClipConfig config, WeightUsage usage) {
    return switch (config.kind()) {
      case CLIP -> ClipGraphs.vision(config.vision(), config.projectionDim(), usage);
      case SIGLIP -> SiglipGraphs.vision(config.vision(), usage);
      case NAFLEX -> SiglipGraphs.naflexVision(config.vision(), usage);
    };
  }

  private static Graph text(ClipConfig config, WeightUsage usage) {
    return config.kind() == ClipConfig.Kind.CLIP
        ? ClipGraphs.text(config.text(), config.projectionDim(), usage)
        : SiglipGraphs.text(config.text(), usage);
  }

  static List<Stage> stages(StageContext context) {
    ClipConfig config = ClipConfig.of(context.config());
    WeightUsage usage = new WeightUsage(context.weights(), context.config().source());
    long batch = context.size().batch();
    Map<String, Long> ofImages = new HashMap<>(Map.of("batch", batch));
    if (config.kind() == ClipConfig.Kind.NAFLEX) {
      ofImages.put("patches", (long) ProcessorConfig.read(context.folder(), config).maxPatches());
    }
    long tokens = config.text().maxPositionEmbeddings();
    return List.of(
        Stage.of(vision(config, usage), context.weights(), ofImages),
        Stage.of(text(config, usage), context.weights(), Map.of("batch", batch, "tokens", tokens)));
  }

  private static Summary summary(LoadContext context, Graph vision, Graph text) {
    Map<String, Graph> parts = new LinkedHashMap<>();
    parts.put("vision", vision);
    parts.put("text", text);
    return Summaries.of(
        context.info().id(), parts, context.weights(), List.of("logit_scale", "logit_bias"));
  }

  /** A tensor of one number; published with shape [] (CLIP) or [1] (SigLIP). */
  private static double scalar(WeightStore weights, WeightUsage usage, String name) {
    long[] shape = weights.shape(name);
    long[] expected = shape != null && shape.length == 1 ? new long[] {1} : new long[0];
    usage.use(WeightRef.whole(name, expected));
    DType dtype = weights.locate(name).dtype();
    ByteBuffer bytes = weights.map(name, 0, dtype.bytes());
    return switch (dtype) {
      case F32 -> bytes.getFloat(0);
      case F64 -> bytes.getDouble(0);
      case BF16 -> Float.intBitsToFloat(bytes.getShort(0) << 16);
      case F16 -> Halves.toFloat(bytes.getShort(0));
      default ->
          throw new CheckpointException(
              weights.description() + ": " + name + " is " + dtype + "; expected a float type");
    };
  }

  /**
   * SigLIP 2 was trained on lower case. {@code do_lower_case} says so beside the tokenizer, not
   * within it, and the reference's generic loader overlooks it.
   */
  private static boolean lowerCase(Path folder, ClipConfig config) {
    if (config.kind() == ClipConfig.Kind.CLIP || !Files.exists(folder.resolve("tokenizer.json"))) {
      return false;
    }
    Path file = folder.resolve("tokenizer_config.json");
    boolean absent = config.kind() == ClipConfig.Kind.NAFLEX;
    return Files.isRegularFile(file) ? Json.parse(file).boolAt("do_lower_case", absent) : absent;
  }

  /** The id of the padding token that tokenizer_config.json names. */
  private static int padding(Path folder, Tokenizer tokenizer) {
    Path file = folder.resolve("tokenizer_config.json");
    String token = "<pad>";
    if (Files.isRegularFile(file)) {
      Json json = Json.parse(file);
      if (json.hasValue("pad_token")) {
        Json pad = json.at("pad_token");
        token = pad.isObject() ? pad.stringAt("content") : pad.string();
      } else if (json.stringAt("tokenizer_class", "").equals("SiglipTokenizer")) {
        token = "</s>";
      }
    }
    OptionalInt id = tokenizer.id(token);
    if (id.isEmpty()) {
      throw new CheckpointException(
          file + ": pad_token is " + token + "; expected a token of the vocabulary");
    }
    return id.getAsInt();
  }

  @Override
  public ModelInfo info() {
    return info;
  }

  @Override
  public Summary summary() {
    return summary;
  }

  @Override
  public Inspection inspect() {
    return this;
  }

  @Override
  public Encoder encoder() {
    open();
    return new EncoderRole<>(this);
  }

  @Override
  public Attention attention() {
    open();
    return image -> {
      open();
      Check.notNull(image, "image");
      return new AttentionRequest(request -> watch(image, request));
    };
  }

  private List<AttentionMap> watch(Image image, AttentionRequest request) {
    open();
    List<AttentionMap> maps = new ArrayList<>();
    String value = request.text();
    if (value != null) {
      Tensor ids = texts.tensors(List.of(value)).get("ids");
      Axis words = Axis.words(texts.pieces(value));
      maps.add(watch.words(ids, words, request.cancellation()));
    }
    Image prepared = images.prepare(image);
    String[] before =
        config.kind() == ClipConfig.Kind.CLIP ? new String[] {"[CLS]"} : new String[0];
    Axis axis = images.axis(image, prepared, config.vision().patchSize(), before);
    maps.add(watch.patches(images.tensors(List.of(prepared)), axis, request.cancellation()));
    return List.copyOf(maps);
  }

  @Override
  public int dimension() {
    return dimension;
  }

  @Override
  public Tokens tokenize(String value) {
    Tokenizer.Encoded encoded = tokenizer.encode(value, true);
    return new Tokens(Arrays.stream(encoded.ids()).boxed().toList(), List.of(encoded.tokens()));
  }

  @Override
  public Pixels preprocess(Image image) {
    open();
    return images.inspect(Check.notNull(image, "image"));
  }

  @Override
  public Map<String, Double> flops() {
    ToLongFunction<String> one =
        symbol ->
            switch (symbol) {
              case "batch" -> 1;
              case "tokens" -> texts.longest();
              default -> images.maxPatches();
            };
    return Map.of("image", Flops.of(vision.graph(), one), "text", Flops.of(text.graph(), one));
  }

  @Override
  public Optional<String> firstNonFinite(Image image) {
    return firstNonFinite(vision, images.tensors(List.of(prepare(Check.notNull(image, "image")))));
  }

  @Override
  public Optional<String> firstNonFinite(String value) {
    open();
    return firstNonFinite(text, texts.tensors(List.of(Check.notNull(value, "text"))));
  }

  private Optional<String> firstNonFinite(Program program, Map<String, Tensor> inputs) {
    return NonFinite.find(program.graph(), weights, inputs).map(NonFinite.Finding::toString);
  }

  @Override
  public Image prepare(Image image) {
    open();
    return images.prepare(image);
  }

  @Override
  public float[] encodeImages(List<Image> prepared, @Nullable Cancellation cancellation) {
    return run(vision, images.tensors(prepared), cancellation);
  }

  @Override
  public float[] encodeTexts(List<String> values, @Nullable Cancellation cancellation) {
    return run(text, texts.tensors(values), cancellation);
  }

  private float[] run(
      Program program, Map<String, Tensor> inputs, @Nullable Cancellation cancellation) {
    float[] vectors =
        program
            .run(inputs, Set.of(), RunOptions.cancelledBy(cancellation))
            .get("embedding")
            .toFloats();
    for (int i = 0; i < vectors.length; i++) {
      if (!Float.isFinite(vectors[i])) {
        throw new EngineException(
            info.id()
                + ": output embedding of "
                + program.graph().name()
                + " holds "
                + vectors[i]
                + " for item "
                + i / dimension
                + " of the batch; expected finite numbers. inspect().firstNonFinite(...) names the"
                + " layer it begins in");
      }
    }
    return vectors;
  }

  @Override
  public double logitScale() {
    return logitScale;
  }

  @Override
  public double logitBias() {
    return logitBias;
  }

  @Override
  public Probability probability() {
    return probability;
  }

  private void open() {
    if (closed) {
      throw new ClosedException(info.id() + " was closed");
    }
  }

  @Override
  public void close() {
    closed = true;
    vision.close();
    text.close();
    watch.close();
    tokenizer.close();
  }
}
