package dev.lmm.diffusion.internal;

import dev.lmm.ClosedException;
import dev.lmm.GenerateRequest;
import dev.lmm.GeneratedImage;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.Model;
import dev.lmm.ModelInfo;
import dev.lmm.Summary;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.Summaries;
import dev.lmm.core.graph.Flops;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.json.Json;
import dev.lmm.core.text.Tokenizer;
import dev.lmm.diffusion.internal.lora.LdmNames;
import dev.lmm.diffusion.internal.lora.LoraLayers;
import dev.lmm.diffusion.internal.lora.Loras;
import dev.lmm.diffusion.internal.scheduler.Schedulers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A loaded pipeline. Requests are worked on one after the other. Thread-safe. */
final class DiffusionModel implements Model, Generator, Inspection {
  private static final Logger LOG = LoggerFactory.getLogger(DiffusionModel.class);

  private final ModelInfo info;
  private final Summary summary;
  private final Map<String, Double> flops;
  private final TextEncoder text;
  private final Pipeline pipeline;
  private final List<AutoCloseable> parts;
  private boolean closed;

  private DiffusionModel(
      ModelInfo info,
      Summary summary,
      Map<String, Double> flops,
      TextEncoder text,
      Pipeline pipeline,
      List<AutoCloseable> parts) {
    this.info = info;
    this.summary = summary;
    this.flops = flops;
    this.text = text;
    this.pipeline = pipeline;
    this.parts = parts;
  }

  static DiffusionModel load(LoadContext context) {
    Json index = context.config();
    boolean xl = index.stringAt("_class_name").startsWith("StableDiffusionXL");
    Json schedulerConfig =
        Json.parse(context.folder().resolve("scheduler").resolve("scheduler_config.json"));
    String scheduler = Schedulers.nameOf(schedulerConfig);
    // A scheduler the file cannot make is told now, not at the first picture.
    Schedulers.of(schedulerConfig, scheduler, null, 1, 0);
    List<AutoCloseable> parts = new ArrayList<>();
    try {
      TextEncoder first =
          keep(parts, TextEncoder.load(context, "text_encoder", "tokenizer", false));
      TextEncoder second =
          xl ? keep(parts, TextEncoder.load(context, "text_encoder_2", "tokenizer_2", true)) : null;
      Unet unet = keep(parts, Unet.load(context));
      int latentSize = unet.config().sampleSize();
      Autoencoder vae =
          keep(parts, Autoencoder.load(context, context.folder().resolve("vae"), latentSize));
      OtherAutoencoders others = keep(parts, new OtherAutoencoders(context, latentSize));
      check(index, first, second, unet, vae);
      SafetyChecker checker = has(index, "safety_checker") ? SafetyChecker.of(context) : null;
      if (checker != null) {
        parts.add(checker);
      }
      Map<String, Summaries.Part> graphs = new LinkedHashMap<>();
      graphs.put("text_encoder", first.part());
      if (second != null) {
        graphs.put("text_encoder_2", second.part());
      }
      graphs.put("unet", unet.part());
      graphs.put("vae_encoder", vae.encoderPart());
      graphs.put("vae_decoder", vae.decoderPart());
      Map<String, Double> flops = new LinkedHashMap<>();
      graphs.forEach(
          (name, part) ->
              flops.put(name, Flops.of(part.graph(), s -> s.equals("tokens") ? 77L : 1L)));
      Prompts prompts =
          new Prompts(first, second, xl && index.boolAt("force_zeros_for_empty_prompt", true));
      return new DiffusionModel(
          context.info(),
          Summaries.of(context.info().id(), graphs),
          flops,
          first,
          new Pipeline(
              prompts,
              unet,
              vae,
              new Loras(layers(graphs, unet.config())),
              others,
              checker,
              schedulerConfig,
              scheduler,
              xl,
              context.info().id()),
          parts);
    } catch (RuntimeException | Error e) {
      parts.forEach(DiffusionModel::close);
      throw e;
    }
  }

  private static void check(
      Json index, TextEncoder first, @Nullable TextEncoder second, Unet unet, Autoencoder vae) {
    int width = first.width() + (second == null ? 0 : second.width());
    UnetConfig config = unet.config();
    if (config.contextWidth() != width) {
      throw new UnsupportedModelException(
          index.source()
              + ": its UNet reads text states of width "
              + config.contextWidth()
              + ", its text encoders make "
              + width);
    }
    if (config.outChannels() != vae.channels()
        || (config.inChannels() != vae.channels()
            && config.inChannels() != 2 * vae.channels() + 1)) {
      throw new UnsupportedModelException(
          index.source()
              + ": its UNet has "
              + config.inChannels()
              + " channels in and "
              + config.outChannels()
              + " out, its autoencoder "
              + vae.channels());
    }
    if ((second != null) != (config.addedTime() > 0)) {
      throw new UnsupportedModelException(
          index.source() + ": addition_embed_type of its UNet does not fit its pipeline class");
    }
  }

  /** What adapters can change: everything but the autoencoder. */
  private static LoraLayers layers(Map<String, Summaries.Part> parts, UnetConfig unet) {
    Map<String, Graph> graphs = new LinkedHashMap<>();
    parts.forEach(
        (name, part) -> {
          if (!name.startsWith("vae")) {
            graphs.put(name, part.graph());
          }
        });
    return new LoraLayers(
        graphs, new LdmNames(unet.downAttends(), unet.upAttends(), unet.layers()));
  }

  static boolean has(Json index, String part) {
    return index.hasValue(part)
        && index.at(part).isArray()
        && index.at(part).elements().stream().anyMatch(e -> e.raw() != null);
  }

  private static <T extends AutoCloseable> T keep(List<AutoCloseable> parts, T part) {
    parts.add(part);
    return part;
  }

  private static void close(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      LOG.warn("A part could not be closed", e);
    }
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
  public List<String> schedulers() {
    return Schedulers.names();
  }

  @Override
  public Inspection inspect() {
    return this;
  }

  @Override
  public Generator generator() {
    return new Role(this);
  }

  @Override
  public GenerateRequest generate(String prompt) {
    return new GenerateRequest(prompt, this::run);
  }

  private synchronized List<GeneratedImage> run(GenerateRequest request) {
    requireOpen();
    return pipeline.run(request);
  }

  private void requireOpen() {
    if (closed) {
      throw new ClosedException("model " + info.id() + " is closed; load it again to use it");
    }
  }

  @Override
  public synchronized Tokens tokenize(String prompt) {
    requireOpen();
    Tokenizer.Encoded encoded = text.tokenize(prompt);
    return new Tokens(
        Arrays.stream(encoded.ids()).boxed().toList(), Arrays.asList(encoded.tokens()));
  }

  /** The picture as the autoencoder sees it, its sides rounded down to multiples of 8. */
  @Override
  public Pixels preprocess(Image image) {
    int[] size = pipeline.size(image);
    return new Pixels(List.of(1, 3, size[1], size[0]), Pictures.planes(image, size[0], size[1]));
  }

  @Override
  public Optional<String> firstNonFinite(Image image) {
    throw new UnsupportedModelException("A diffusion pipeline has no tower to look into");
  }

  @Override
  public Optional<String> firstNonFinite(String prompt) {
    throw new UnsupportedModelException("A diffusion pipeline has no tower to look into");
  }

  @Override
  public Map<String, Double> flops() {
    return flops;
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      parts.forEach(DiffusionModel::close);
    }
  }

  /** The role, whose closing closes nothing. */
  private record Role(DiffusionModel model) implements Generator {
    @Override
    public ModelInfo info() {
      return model.info();
    }

    @Override
    public Summary summary() {
      return model.summary();
    }

    @Override
    public List<String> schedulers() {
      return model.schedulers();
    }

    @Override
    public GenerateRequest generate(String prompt) {
      return model.generate(prompt);
    }

    @Override
    public void close() {}
  }
}
