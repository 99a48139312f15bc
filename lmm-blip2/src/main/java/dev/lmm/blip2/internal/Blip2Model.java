package dev.lmm.blip2.internal;

import dev.lmm.Attention;
import dev.lmm.AttentionMap;
import dev.lmm.AttentionRequest;
import dev.lmm.Cancellation;
import dev.lmm.Caption;
import dev.lmm.CaptionRequest;
import dev.lmm.Captioner;
import dev.lmm.CaptionsRequest;
import dev.lmm.Check;
import dev.lmm.CheckpointException;
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
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.EncoderRole;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.Stage;
import dev.lmm.core.family.StageContext;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A loaded model: vision tower, Q-Former and OPT. Thread-safe. */
final class Blip2Model implements Model, Captioner, Inspection {
  private final Parts parts;
  private final Blip2Config config;
  private final Language language;
  private final GenerationConfig generation;
  private final Decoder decoder;
  private final QueryWatch watch;
  private final Blip2Watch attentionWatch;
  private final VisionWatch visionWatch;

  private Blip2Model(LoadContext context, Parts parts, Blip2Config config) {
    this.parts = parts;
    this.config = config;
    this.generation = GenerationConfig.read(context.folder());
    this.language = Language.of(config, parts::program, generation.startId());
    int[] ends = generation.endIds();
    this.decoder =
        new Decoder(
            language.model(),
            parts.tokenizer(),
            ends.length > 0 ? ends : new int[] {config.text().eosTokenId()});
    this.watch =
        new QueryWatch(context, config.numQueryTokens(), config.vision(), config.qformer());
    this.attentionWatch = new Blip2Watch(context, config);
    this.visionWatch = new VisionWatch(context, config.vision());
  }

  static Blip2Model load(LoadContext context) {
    Blip2Config config = Blip2Config.of(context.config()).sized(context.folder());
    WeightUsage usage = new WeightUsage(context.weights(), context.config().source());
    Map<String, Graph> graphs = graphs(config, usage);
    // Older files hold the head, or the words once more, beside the table that they are.
    usage.requireAllRead(T5Graphs::mayStayUnread);
    Parts parts = Parts.open(context, config.vision(), graphs);
    try {
      int words = parts.tokenizer().vocabularySize();
      if (words > config.text().vocabSize()) {
        throw new CheckpointException(
            context.folder()
                + ": the tokenizer has ids up to "
                + (words - 1)
                + "; config.json's text_config.vocab_size is "
                + config.text().vocabSize());
      }
      return new Blip2Model(context, parts, config);
    } catch (RuntimeException | Error e) {
      parts.close();
      throw e;
    }
  }

  private static Map<String, Graph> graphs(Blip2Config config, WeightUsage usage) {
    Map<String, Graph> graphs = new LinkedHashMap<>();
    graphs.put("vision", VisionGraph.of(config.vision(), usage));
    graphs.put("qformer", QFormerGraph.of(config, usage));
    graphs.putAll(Language.graphs(config, usage));
    return graphs;
  }

  static List<Stage> stages(StageContext context) {
    Blip2Config config = Blip2Config.of(context.config()).sized(context.folder());
    long entries = context.tokens(Language.context(config.text()));
    Map<String, Long> symbols = new HashMap<>();
    symbols.put("batch", (long) context.size().batch());
    WeightUsage usage = new WeightUsage(context.weights(), context.config().source());
    return graphs(config, usage).entrySet().stream()
        .map(
            each -> {
              symbols.putAll(
                  Language.symbols(each.getKey(), config.numQueryTokens(), entries, entries));
              return Stage.of(each.getValue(), context.weights(), symbols);
            })
        .toList();
  }

  @Override
  public ModelInfo info() {
    return parts.info();
  }

  @Override
  public Summary summary() {
    return parts.summary();
  }

  @Override
  public Inspection inspect() {
    return this;
  }

  @Override
  public Captioner captioner() {
    parts.requireOpen();
    return new Role(this);
  }

  @Override
  public Queries queries() {
    parts.requireOpen();
    return image -> {
      parts.requireOpen();
      Check.notNull(image, "image");
      return new QueriesRequest(
          request -> {
            parts.requireOpen();
            Check.that(
                request.text() == null,
                "text: is there, but the queries of "
                    + info().id()
                    + " read none; expected a model of the first stage, which matches");
            RunOptions run = RunOptions.cancelledBy(request.cancellation());
            return watch.look(parts.see(parts.pictures().tensor(image), run), null, run).maps();
          });
    };
  }

  @Override
  public Attention attention() {
    parts.requireOpen();
    return image -> {
      parts.requireOpen();
      Check.notNull(image, "image");
      return new AttentionRequest(request -> watch(image, request));
    };
  }

  /** The words are those of the request, or what the model writes itself. */
  private List<AttentionMap> watch(Image image, AttentionRequest request) {
    parts.requireOpen();
    RunOptions run = RunOptions.cancelledBy(request.cancellation());
    Tensor pixels = parts.pictures().tensor(image);
    Tensor seen = parts.see(pixels, run);
    Tensor projected = projected(seen, run);
    Tokenizer tokenizer = parts.tokenizer();
    String text = request.text();
    int[] answer;
    if (text == null) {
      CaptionRequest alone = caption(image);
      answer =
          decoder
              .generate(
                  prompt("", () -> projected, run),
                  options(alone).cancellation(request.cancellation()))
              .tokens()
              .stream()
              .mapToInt(TokenChoice::id)
              .toArray();
    } else {
      answer = tokenizer.encode(text, false).ids();
    }
    SeenMaps looked = new SeenMaps(watch.look(seen, null, run), config.vision());
    List<AttentionMap> maps =
        new ArrayList<>(
            language.watched(
                attentionWatch,
                words(""),
                projected,
                answer,
                id -> tokenizer.decode(new int[] {id}, false),
                looked,
                run));
    maps.add(looked.queries());
    maps.add(visionWatch.look(pixels, run));
    return List.copyOf(maps);
  }

  /** A picture is the last states of its queries, one after the other. */
  @Override
  public Encoder encoder() {
    parts.requireOpen();
    QueryEncoder.Vectors vectors =
        new QueryEncoder.Vectors() {
          @Override
          public float[] picture(Tensor pixels, @Nullable Cancellation cancellation) {
            RunOptions run = RunOptions.cancelledBy(cancellation);
            Map<String, Tensor> inputs = Map.of("image", parts.see(pixels, run));
            return parts
                .program("qformer")
                .run(inputs, Set.of("queries"), run)
                .get("queries")
                .toFloats();
          }

          @Override
          public float[] texts(List<String> texts, @Nullable Cancellation cancellation) {
            throw new UnsupportedModelException(
                info().id()
                    + " embeds pictures only; a model of the first stage, which matches, embeds"
                    + " texts too");
          }
        };
    int dimension = Math.multiplyExact(config.numQueryTokens(), config.qformer().hiddenSize());
    return new EncoderRole<>(new QueryEncoder(this, dimension, parts.pictures(), vectors));
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
    parts.requireOpen();
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
    parts.requireOpen();
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
    parts.requireOpen();
    int i = 0;
    for (Image image : Check.notNull(images, "images")) {
      Check.notNull(image, "images[" + i++ + "]");
    }
    List<Image> all = List.copyOf(images);
    return new CaptionsRequest(request -> write(all, request));
  }

  private List<Caption> write(List<Image> images, CaptionsRequest request) {
    parts.requireOpen();
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

  private Prompt prompt(Image image, CaptionRequest request) {
    RunOptions run = RunOptions.cancelledBy(request.cancellation());
    return prompt(
        request.prompt(),
        () -> projected(parts.see(parts.pictures().tensor(image), run), run),
        run);
  }

  /** What the queries saw, then the words. */
  private Prompt prompt(String words, Supplier<Tensor> projected, RunOptions run) {
    int queries = config.numQueryTokens();
    int[] text = words(words);
    OptionalInt placeholder = parts.tokenizer().id("<image>");
    if (placeholder.isPresent()
        && Arrays.stream(text).anyMatch(id -> id == placeholder.getAsInt())) {
      throw new InvalidRequestException(
          "prompt: holds <image>, which stands for what the model sees and is put before the prompt"
              + " by itself; leave it out");
    }
    int[] ids = new int[queries + text.length];
    Arrays.fill(ids, 0, queries, placeholder.orElse(0));
    System.arraycopy(text, 0, ids, queries, text.length);
    return language.prompt(ids, queries, projected, run.cancellation());
  }

  /** A prompt's ids, or what stands for none. */
  private int[] words(String prompt) {
    int[] text = parts.tokenizer().encode(prompt, true).ids();
    return text.length > 0 ? text : new int[] {config.text().emptyTokenId()};
  }

  /** The queries after looking, in the language model's width: F32 [queries, width]. */
  private Tensor projected(Tensor seen, RunOptions run) {
    Tensor projected =
        parts
            .program("qformer")
            .run(Map.of("image", seen), Set.of("projected"), run)
            .get("projected");
    return Tensor.of(projected.toFloats(), config.numQueryTokens(), config.text().hiddenSize());
  }

  @Override
  public Tokens tokenize(String value) {
    return parts.tokenize(value);
  }

  @Override
  public Pixels preprocess(Image image) {
    return parts.preprocess(image);
  }

  @Override
  public Optional<String> firstNonFinite(Image image) {
    return parts.firstNonFinite(image);
  }

  @Override
  public Optional<String> firstNonFinite(String text) {
    // The language model's state is not part of its graph: what a text alone does is not there.
    return Optional.empty();
  }

  @Override
  public Map<String, Double> flops() {
    int queries = config.numQueryTokens();
    return parts.flops(
        (part, symbol) ->
            symbol.equals("batch")
                ? 1
                : Language.symbols(part, queries, queries + 1, queries + 1).get(symbol));
  }

  @Override
  public void close() {
    parts.close();
    watch.close();
    attentionWatch.close();
    visionWatch.close();
  }
}
