package dev.lmm.blip2.internal;

import dev.lmm.Cancellation;
import dev.lmm.Caption;
import dev.lmm.CaptionRequest;
import dev.lmm.Captioner;
import dev.lmm.CaptionsRequest;
import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.ClosedException;
import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.InvalidRequestException;
import dev.lmm.Model;
import dev.lmm.ModelInfo;
import dev.lmm.Queries;
import dev.lmm.QueriesRequest;
import dev.lmm.Summary;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.decode.Decoder;
import dev.lmm.core.decode.FinishReason;
import dev.lmm.core.decode.Generation;
import dev.lmm.core.decode.GenerationConfig;
import dev.lmm.core.decode.GenerationOptions;
import dev.lmm.core.decode.Prompt;
import dev.lmm.core.decode.Session;
import dev.lmm.core.decode.TextRun;
import dev.lmm.core.decode.TokenChoice;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.engine.reference.NonFinite;
import dev.lmm.core.family.EncoderRole;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.Stage;
import dev.lmm.core.family.StageContext;
import dev.lmm.core.family.Summaries;
import dev.lmm.core.graph.Flops;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.text.Tokenizer;
import dev.lmm.core.text.Tokenizers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** A loaded model: vision tower, Q-Former and OPT. Thread-safe. */
final class Blip2Model implements Model, Captioner, Inspection {
  private final ModelInfo info;
  private final Summary summary;
  private final Blip2Config config;
  private final PictureInput pictures;
  private final Tokenizer tokenizer;
  private final WeightStore weights;
  private final Program vision;
  private final Program qformer;
  private final Program language;
  private final GenerationConfig generation;
  private final Decoder decoder;
  private final QueryWatch watch;
  private volatile boolean closed;

  private Blip2Model(
      LoadContext context,
      Summary summary,
      Blip2Config config,
      PictureInput pictures,
      Tokenizer tokenizer,
      Program vision,
      Program qformer,
      Program language) {
    this.info = context.info();
    this.summary = summary;
    this.config = config;
    this.pictures = pictures;
    this.tokenizer = tokenizer;
    this.weights = context.weights();
    this.vision = vision;
    this.qformer = qformer;
    this.language = language;
    this.generation = GenerationConfig.read(context.folder());
    int[] ends = generation.endIds();
    this.decoder =
        new Decoder(
            new OptModel(language, config.text()),
            tokenizer,
            ends.length > 0 ? ends : new int[] {config.text().eosTokenId()});
    this.watch =
        new QueryWatch(context, config.numQueryTokens(), config.vision(), config.qformer());
  }

  static Blip2Model load(LoadContext context) {
    Blip2Config config = Blip2Config.of(context.config());
    WeightUsage usage = new WeightUsage(context.weights(), context.config().source());
    Map<String, Graph> graphs = graphs(config, usage);
    // Older files hold the head beside the table that it is.
    usage.requireAllRead(name -> name.equals("language_model.lm_head.weight"));

    PictureInput pictures = PictureInput.read(context.folder(), config.vision().imageSize());
    Summary summary = Summaries.of(context.info().id(), graphs, context.weights(), List.of());
    List<AutoCloseable> opened = new ArrayList<>();
    try {
      Tokenizer tokenizer = Tokenizers.load(context.folder(), false);
      opened.add(tokenizer);
      if (tokenizer.vocabularySize() > config.text().vocabSize()) {
        throw new CheckpointException(
            context.folder()
                + ": the tokenizer has ids up to "
                + (tokenizer.vocabularySize() - 1)
                + "; config.json's text_config.vocab_size is "
                + config.text().vocabSize());
      }
      List<Program> programs = new ArrayList<>();
      for (Graph graph : graphs.values()) {
        Program program = context.compile(graph);
        opened.add(program);
        programs.add(program);
      }
      return new Blip2Model(
          context,
          summary,
          config,
          pictures,
          tokenizer,
          programs.get(0),
          programs.get(1),
          programs.get(2));
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

  private static Map<String, Graph> graphs(Blip2Config config, WeightUsage usage) {
    Map<String, Graph> graphs = new LinkedHashMap<>();
    graphs.put("vision", VisionGraph.of(config.vision(), usage));
    graphs.put("qformer", QFormerGraph.of(config, usage));
    graphs.put("language", OptModel.graph(config.text(), usage));
    return graphs;
  }

  static List<Stage> stages(StageContext context) {
    Blip2Config config = Blip2Config.of(context.config());
    long entries = context.tokens(config.text().maxPositionEmbeddings());
    Map<String, Long> symbols =
        Map.of(
            "batch",
            (long) context.size().batch(),
            "capacity",
            entries,
            "s",
            Math.min(entries, GenerationOptions.PREFILL_CHUNK));
    WeightUsage usage = new WeightUsage(context.weights(), context.config().source());
    return graphs(config, usage).values().stream()
        .map(graph -> Stage.of(graph, context.weights(), symbols))
        .toList();
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
  public Captioner captioner() {
    open();
    return new Role(this);
  }

  @Override
  public Queries queries() {
    open();
    return image -> {
      open();
      Check.notNull(image, "image");
      return new QueriesRequest(
          request -> {
            open();
            Check.that(
                request.text() == null,
                "text: is there, but the queries of "
                    + info.id()
                    + " read none; expected a model of the first stage, which matches");
            RunOptions run = RunOptions.cancelledBy(request.cancellation());
            return watch.look(see(pictures.tensor(image), run), null, run);
          });
    };
  }

  /** A picture as the Q-Former sees it: [1, rows, vision width]. */
  private Tensor see(Tensor pixels, RunOptions run) {
    return vision.run(Map.of("pixels", pixels), Set.of("image"), run).get("image");
  }

  /** A picture is the last states of its queries, one after the other. */
  @Override
  public Encoder encoder() {
    open();
    QueryEncoder.Vectors vectors =
        new QueryEncoder.Vectors() {
          @Override
          public float[] picture(Tensor pixels, @Nullable Cancellation cancellation) {
            RunOptions run = RunOptions.cancelledBy(cancellation);
            Map<String, Tensor> inputs = Map.of("image", see(pixels, run));
            return qformer.run(inputs, Set.of("queries"), run).get("queries").toFloats();
          }

          @Override
          public float[] texts(List<String> texts, @Nullable Cancellation cancellation) {
            throw new UnsupportedModelException(
                info.id()
                    + " embeds pictures only; a model of the first stage, which matches, embeds"
                    + " texts too");
          }
        };
    int dimension = Math.multiplyExact(config.numQueryTokens(), config.qformer().hiddenSize());
    return new EncoderRole<>(new QueryEncoder(this, dimension, pictures, vectors));
  }

  /** The model without the right to close it. */
  private record Role(Blip2Model model) implements Captioner {
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
      return model;
    }

    @Override
    public CaptionRequest caption(Image image) {
      return model.caption(image);
    }

    @Override
    public CaptionRequest ask(Image image, String question) {
      return model.ask(image, question);
    }

    @Override
    public CaptionsRequest captions(List<Image> images) {
      return model.captions(images);
    }

    @Override
    public void close() {}
  }

  @Override
  public CaptionRequest caption(Image image) {
    open();
    Check.notNull(image, "image");
    return new CaptionRequest((request, pieces) -> write(image, request, pieces));
  }

  @Override
  public CaptionRequest ask(Image image, String question) {
    Check.that(
        !Check.notNull(question, "question").isBlank(),
        "question: is blank; expected a question, or use caption");
    return caption(image).prompt("Question: " + question.strip() + " Answer:");
  }

  private List<Caption> write(
      Image image, CaptionRequest request, @Nullable Consumer<String> pieces) {
    open();
    GenerationOptions options = options(request);
    Prompt prompt = prompt(image, request);
    List<Generation> written;
    if (options.beams() > 1) {
      Check.that(
          pieces == null,
          "beams: are " + options.beams() + "; a text can be streamed with one beam only");
      written = decoder.search(prompt, options);
    } else if (pieces == null) {
      written = List.of(decoder.generate(prompt, options));
    } else {
      try (Session session = decoder.session();
          TextRun run = session.stream(prompt, options)) {
        while (run.hasNext()) {
          String text = run.next().text();
          if (!text.isEmpty()) {
            pieces.accept(text);
          }
        }
        written = List.of(run.result());
      }
    }
    return written.stream().map(Blip2Model::caption).toList();
  }

  @Override
  public CaptionsRequest captions(List<Image> images) {
    open();
    int i = 0;
    for (Image image : Check.notNull(images, "images")) {
      Check.notNull(image, "images[" + i++ + "]");
    }
    List<Image> all = List.copyOf(images);
    return new CaptionsRequest(request -> write(all, request));
  }

  private List<Caption> write(List<Image> images, CaptionsRequest request) {
    open();
    CaptionRequest each = request.each();
    Check.that(
        each.best() == 1,
        "best: is " + each.best() + "; several pictures get one text each, expected 1");
    GenerationOptions options = options(each);
    List<Prompt> prompts = images.stream().map(image -> prompt(image, each)).toList();
    List<Generation> written =
        options.beams() == 1
            ? decoder.generate(prompts, options, request.batchSize())
            : prompts.stream().map(prompt -> decoder.search(prompt, options).get(0)).toList();
    return written.stream().map(Blip2Model::caption).toList();
  }

  private static Caption caption(Generation generation) {
    return new Caption(
        generation.text().strip(),
        generation.tokens().stream().map(TokenChoice::id).toList(),
        generation.tokens().stream().map(t -> (double) t.logProbability()).toList(),
        generation.score(),
        generation.finish() == FinishReason.END);
  }

  private GenerationOptions options(CaptionRequest request) {
    GenerationOptions options = generation.options();
    if (request.maxTokens() > 0) {
      options = options.maxTokens(request.maxTokens());
    } else if (options.maxTokens() <= 0) {
      options = options.maxTokens(CaptionRequest.DEFAULT_MAX_TOKENS);
    }
    if (request.minTokens() > 0) {
      options = options.minTokens(request.minTokens());
    }
    if (request.beams() > 0) {
      options = options.beams(request.beams());
    }
    Check.that(
        request.best() <= options.beams(),
        "best: is "
            + request.best()
            + "; expected at most the number of beams, "
            + options.beams());
    options = options.best(request.best());
    if (!Double.isNaN(request.lengthPenalty())) {
      options = options.lengthPenalty((float) request.lengthPenalty());
    }
    if (!Double.isNaN(request.repetitionPenalty())) {
      options = options.repetitionPenalty((float) request.repetitionPenalty());
    }
    if (!Double.isNaN(request.topP())) {
      options =
          options
              .sample(true)
              .topK(0)
              .topP((float) request.topP())
              .temperature((float) request.temperature())
              .seed(request.seed());
    }
    return options.cancellation(request.cancellation());
  }

  /** What the queries saw, then {@code </s>} and the text; OPT's positions count from the first. */
  private Prompt prompt(Image image, CaptionRequest request) {
    int queries = config.numQueryTokens();
    int[] text = tokenizer.encode(request.prompt(), true).ids();
    if (text.length == 0) {
      text = new int[] {config.text().bosTokenId()};
    }
    OptionalInt placeholder = tokenizer.id("<image>");
    if (placeholder.isPresent()
        && Arrays.stream(text).anyMatch(id -> id == placeholder.getAsInt())) {
      throw new InvalidRequestException(
          "prompt: holds <image>, which stands for what the model sees and is put before the prompt"
              + " by itself; leave it out");
    }
    int[] ids = new int[queries + text.length];
    Arrays.fill(ids, 0, queries, placeholder.orElse(0));
    System.arraycopy(text, 0, ids, queries, text.length);
    return Prompt.of(ids)
        .embedded(0, queries, new Object(), () -> projected(pictures.tensor(image), request));
  }

  /** The queries after looking, in the language model's width: F32 [queries, width]. */
  private Tensor projected(Tensor pixels, CaptionRequest request) {
    RunOptions run = RunOptions.cancelledBy(request.cancellation());
    Tensor seen = see(pixels, run);
    Tensor projected =
        qformer.run(Map.of("image", seen), Set.of("projected"), run).get("projected");
    return Tensor.of(projected.toFloats(), config.numQueryTokens(), config.text().hiddenSize());
  }

  @Override
  public Tokens tokenize(String value) {
    Tokenizer.Encoded encoded = tokenizer.encode(value, true);
    return new Tokens(Arrays.stream(encoded.ids()).boxed().toList(), List.of(encoded.tokens()));
  }

  @Override
  public Pixels preprocess(Image image) {
    open();
    return pictures.inspect(Check.notNull(image, "image"));
  }

  @Override
  public Optional<String> firstNonFinite(Image image) {
    open();
    return NonFinite.find(
            vision.graph(),
            weights,
            Map.of("pixels", pictures.tensor(Check.notNull(image, "image"))))
        .map(NonFinite.Finding::toString);
  }

  @Override
  public Optional<String> firstNonFinite(String text) {
    // The language model's state is not part of its graph: what a text alone does is not there.
    return Optional.empty();
  }

  @Override
  public Map<String, Double> flops() {
    int prompt = config.numQueryTokens() + 1;
    ToLongFunction<String> one =
        symbol -> symbol.equals("s") || symbol.equals("capacity") ? prompt : 1;
    Map<String, Double> all = new LinkedHashMap<>();
    all.put("vision", Flops.of(vision.graph(), one));
    all.put("qformer", Flops.of(qformer.graph(), one));
    all.put("language", Flops.of(language.graph(), one));
    return all;
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
    qformer.close();
    language.close();
    watch.close();
    tokenizer.close();
  }
}
