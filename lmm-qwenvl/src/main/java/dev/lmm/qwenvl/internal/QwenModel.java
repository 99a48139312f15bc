package dev.lmm.qwenvl.internal;

import dev.lmm.Answer;
import dev.lmm.AnswersRequest;
import dev.lmm.Attention;
import dev.lmm.AttentionMap;
import dev.lmm.AttentionRequest;
import dev.lmm.Cancellation;
import dev.lmm.Chat;
import dev.lmm.ChatRequest;
import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.ClosedException;
import dev.lmm.Conversation;
import dev.lmm.Grounder;
import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.LocateRequest;
import dev.lmm.Model;
import dev.lmm.ModelInfo;
import dev.lmm.Summary;
import dev.lmm.TokenStream;
import dev.lmm.UnsupportedModelException;
import dev.lmm.Video;
import dev.lmm.core.decode.Constraint;
import dev.lmm.core.decode.Decoder;
import dev.lmm.core.decode.GenerationConfig;
import dev.lmm.core.decode.GenerationOptions;
import dev.lmm.core.decode.Prompt;
import dev.lmm.core.decode.grammar.Grammar;
import dev.lmm.core.decode.grammar.TokenBytes;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.Stage;
import dev.lmm.core.family.StageContext;
import dev.lmm.core.family.Summaries;
import dev.lmm.core.graph.Flops;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import dev.lmm.core.text.Tokenizer;
import dev.lmm.core.text.Tokenizers;
import dev.lmm.core.text.template.ChatTemplate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** A loaded checkpoint. Thread-safe. */
final class QwenModel implements Model, Chat, Grounder, Inspection {
  private static final int GRAMMARS = 32;

  private final ModelInfo info;
  private final Summary summary;
  private final Tokenizer tokenizer;
  private final VisionTower vision;
  private final LanguageModel text;
  private final Prompts prompts;
  private final GenerationOptions defaults;
  private final int[] ends;
  private final Decoder decoder;
  private final QwenConfig config;
  private final QwenWatch watch;
  private final FeatureCache features = new FeatureCache();
  private final Map<String, Constraint.Source> grammars = new LinkedHashMap<>();
  private @Nullable TokenBytes bytes;
  private volatile boolean closed;

  private QwenModel(
      LoadContext context,
      QwenConfig config,
      Summary summary,
      Tokenizer tokenizer,
      VisionTower vision,
      LanguageModel text,
      Prompts prompts,
      GenerationOptions defaults,
      int[] ends) {
    this.info = context.info();
    this.config = config;
    this.watch = new QwenWatch(context, config, prefix(usage(context)));
    this.summary = summary;
    this.tokenizer = tokenizer;
    this.vision = vision;
    this.text = text;
    this.prompts = prompts;
    this.defaults = defaults;
    this.ends = ends;
    this.decoder = new Decoder(text, tokenizer, ends);
  }

  static QwenModel load(LoadContext context) {
    Json json = context.config();
    QwenConfig config = QwenConfig.of(json);
    PictureInput input = PictureInput.read(context.folder(), config.vision());
    GenerationConfig generation = GenerationConfig.read(context.folder());
    ChatTemplate template =
        ChatTemplate.load(context.folder())
            .orElseThrow(
                () ->
                    new CheckpointException(
                        context.folder()
                            + ": has no chat template; expected chat_template.json,"
                            + " chat_template.jinja or chat_template in tokenizer_config.json"));
    WeightStore weights = context.weights();
    WeightUsage usage = new WeightUsage(weights, json.source());
    Graph visionGraph = vision(config, usage);
    Graph textGraph = text(config, usage);
    usage.requireAllRead(
        name ->
            name.endsWith("rotary_emb.inv_freq")
                || (config.tied() && name.equals("lm_head.weight")));
    Map<String, Graph> parts = new LinkedHashMap<>();
    parts.put("vision", visionGraph);
    parts.put("text", textGraph);
    Tokenizer tokenizer = Tokenizers.loadForChat(context.folder());
    Program visionProgram = null;
    try {
      int[] ends = ends(generation, json, tokenizer);
      visionProgram = context.compile(visionGraph);
      return new QwenModel(
          context,
          config,
          Summaries.of(context.info().id(), parts, weights, List.of()),
          tokenizer,
          new VisionTower(config.vision(), input, visionProgram),
          new LanguageModel(config.text(), context.compile(textGraph)),
          new Prompts(config, tokenizer, template),
          generation.options().beams(1).best(1),
          ends);
    } catch (RuntimeException | Error e) {
      if (visionProgram != null) {
        visionProgram.close();
      }
      tokenizer.close();
      throw e;
    }
  }

  private static Graph vision(QwenConfig config, WeightUsage usage) {
    return VisionGraph.of(config.vision(), published(usage) ? "visual" : "model.visual", usage);
  }

  private static Graph text(QwenConfig config, WeightUsage usage) {
    return TextGraph.of(config.text(), prefix(usage), config.tied(), usage);
  }

  /** What the names of the language model's weights begin with. */
  private static String prefix(WeightUsage usage) {
    return published(usage) ? "model" : "model.language_model";
  }

  private static WeightUsage usage(LoadContext context) {
    return new WeightUsage(context.weights(), context.config().source());
  }

  /** Published files have the first names, transformers 5 writes the second. */
  private static boolean published(WeightUsage usage) {
    return usage.has("visual.patch_embed.proj.weight");
  }

  static List<Stage> stages(StageContext context) {
    QwenConfig config = QwenConfig.of(context.config());
    WeightUsage usage = new WeightUsage(context.weights(), context.config().source());
    PictureInput input = PictureInput.read(context.folder(), config.vision());
    Grid grid = input.grid(1, context.width(1000), context.height(750), input.limits(0, 0));
    long entries = context.tokens(config.text().contextLength());
    return List.of(
        Stage.of(
            vision(config, usage),
            context.weights(),
            Map.of(
                "grids", 1L,
                "cells", (long) grid.cells(config.vision().cell()),
                "windows", (long) VisionTower.windows(config.vision(), grid))),
        Stage.of(
            text(config, usage),
            context.weights(),
            Map.of(
                "batch",
                1L,
                "capacity",
                entries,
                "s",
                Math.min(entries, GenerationOptions.PREFILL_CHUNK))));
  }

  /** generation_config.json names two; config.json at least one. */
  private static int[] ends(GenerationConfig generation, Json json, Tokenizer tokenizer) {
    if (generation.endIds().length > 0) {
      return generation.endIds();
    }
    Json owner = json.hasValue("eos_token_id") ? json : json.objectOrEmpty("text_config");
    if (owner.hasValue("eos_token_id")) {
      Json ids = owner.at("eos_token_id");
      return ids.isArray() ? ids.ints() : new int[] {ids.asInt()};
    }
    OptionalInt end = tokenizer.id("<|im_end|>");
    if (end.isEmpty()) {
      throw new CheckpointException(
          json.source()
              + ": neither it nor generation_config.json has an eos_token_id; expected the token"
              + " that ends an answer");
    }
    return new int[] {end.getAsInt()};
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
  public Chat chat() {
    return new Role(this);
  }

  @Override
  public Grounder grounder() {
    if (config.vision().kind() == QwenConfig.VisionKind.QWEN2_VL) {
      throw new UnsupportedModelException(
          info.id()
              + " is a Qwen2-VL, which writes boxes in thousandths of a picture and in a form of its"
              + " own; expected a Qwen2.5-VL to locate things with");
    }
    return new GrounderRole(this);
  }

  @Override
  public Attention attention() {
    requireOpen();
    return image -> {
      requireOpen();
      Check.notNull(image, "image");
      return new AttentionRequest(request -> look(image, request));
    };
  }

  /** A question about a picture, read as the chat template puts it. */
  private List<AttentionMap> look(Image image, AttentionRequest request) {
    requireOpen();
    Seen seen = seen(image, 0, 0);
    String question = request.text() == null ? "" : request.text();
    Message message = new Message("user", question, List.of(seen));
    int merge = config.vision().mergeSize();
    return watch.look(
        prompt(List.of(message), request.cancellation()),
        text,
        seen.grid().rows() / merge,
        seen.grid().columns() / merge,
        id -> tokenizer.decode(new int[] {id}, false),
        RunOptions.cancelledBy(request.cancellation()));
  }

  @Override
  public LocateRequest locate(Image picture, String query) {
    return new LocateRequest(
        picture,
        query,
        request -> {
          requireOpen();
          return new Locator(this).run(request);
        });
  }

  @Override
  public Conversation conversation(@Nullable String system) {
    requireOpen();
    return new QwenConversation(this, system);
  }

  @Override
  public ChatRequest ask(String question) {
    return new ChatRequest(
        question,
        request -> {
          requireOpen();
          QwenConversation alone = new QwenConversation(this, null);
          try {
            return new OwningStream(alone, alone.stream(request));
          } catch (RuntimeException | Error e) {
            alone.close();
            throw e;
          }
        });
  }

  @Override
  public AnswersRequest answers() {
    return new AnswersRequest(this::answer);
  }

  private List<Answer> answer(AnswersRequest request) {
    requireOpen();
    List<Prompt> prompts = new ArrayList<>();
    List<GenerationOptions> options = new ArrayList<>();
    for (ChatRequest question : request.questions()) {
      prompts.add(prompt(List.of(message(question)), request.cancellation()));
      options.add(options(question));
    }
    return decoder.generate(prompts, options, request.batchSize(), request.cancellation()).stream()
        .map(QwenConversation::answerOf)
        .toList();
  }

  PictureInput pictures() {
    return vision.input();
  }

  LanguageModel language() {
    return text;
  }

  GenerationOptions defaults() {
    return defaults;
  }

  int[] ends() {
    return ends.clone();
  }

  Decoder decoder() {
    return decoder;
  }

  /** A question with what stands before it. */
  Message message(ChatRequest request) {
    requireOpen();
    PictureInput input = vision.input();
    PictureInput.Limits limits = input.limits(request.minPixels(), request.maxPixels());
    List<Seen> seen = new ArrayList<>();
    for (Image image : request.images()) {
      seen.add(seen(image, request.minPixels(), request.maxPixels()));
    }
    for (Video video : request.videos()) {
      Image first = video.frames().get(0);
      int frames = video.frames().size();
      PictureInput.Limits each =
          request.videoPixels() == 0
              ? limits
              : PictureInput.Limits.shared(
                  request.videoPixels(), frames, request.minPixels(), request.maxPixels());
      Grid grid = input.grid(frames, first.width(), first.height(), each);
      seen.add(Seen.video(video.frames(), grid, vision.framesPerStep() / video.fps()));
    }
    return new Message("user", request.text(), List.copyOf(seen));
  }

  /** A picture between limits of pixels, 0 for the checkpoint's. */
  Seen seen(Image image, int minPixels, int maxPixels) {
    PictureInput input = vision.input();
    PictureInput.Limits limits = input.limits(minPixels, maxPixels);
    return Seen.picture(image, input.grid(1, image.width(), image.height(), limits));
  }

  /** Width and height of what the model sees, in pixels. */
  int[] resized(Grid grid) {
    int patch = vision.input().patchSize();
    return new int[] {grid.columns() * patch, grid.rows() * patch};
  }

  /** The bytes a token writes, or null for a control token. */
  byte @Nullable [] bytes(int token) {
    return tokenizer.bytes(token);
  }

  /** JSON in the model's own spacing. */
  Constraint.Source jsonForm(String schema) {
    return grammar("free " + schema);
  }

  Prompt prompt(List<Message> messages, @Nullable Cancellation cancellation) {
    return prompts.of(messages, seen -> () -> features(seen, cancellation));
  }

  private Tensor features(Seen seen, @Nullable Cancellation cancellation) {
    return features.get(
        seen.key(), () -> vision.features(seen.frames(), seen.grid(), cancellation));
  }

  /** The checkpoint's own options, changed by what a request asks for. */
  GenerationOptions options(ChatRequest request) {
    GenerationOptions options =
        defaults.seed(request.seed()).stop(request.stop()).cancellation(request.cancellation());
    if (request.maxTokens() > 0) {
      options = options.maxTokens(request.maxTokens());
    }
    Double temperature = request.temperature();
    if (temperature != null) {
      options =
          temperature == 0
              ? options.sample(false)
              : options.sample(true).temperature(temperature.floatValue());
    }
    options = request.topP() == null ? options : options.topP(request.topP().floatValue());
    options = request.minP() == null ? options : options.minP(request.minP().floatValue());
    options = request.topK() == null ? options : options.topK(request.topK());
    if (request.repetitionPenalty() != null) {
      options = options.repetitionPenalty(request.repetitionPenalty().floatValue());
    }
    if (request.jsonSchema() != null) {
      options = options.grammar(grammar("json " + request.jsonSchema()));
    } else if (request.regex() != null) {
      options = options.grammar(grammar("expr " + request.regex()));
    }
    return options;
  }

  /** Compiles a form once; its masks are remembered with it. */
  private synchronized Constraint.Source grammar(String form) {
    Constraint.Source known = grammars.get(form);
    if (known != null) {
      return known;
    }
    TokenBytes tokens = bytes;
    if (tokens == null) {
      tokens = TokenBytes.of(tokenizer);
      bytes = tokens;
    }
    String text = form.substring(5);
    Grammar grammar =
        switch (form.substring(0, 4)) {
          case "json" -> Grammar.jsonSchema(text);
          case "free" -> Grammar.jsonSchema(text, Grammar.Spacing.FREE);
          default -> Grammar.regex(text);
        };
    Constraint.Source made = grammar.over(tokens);
    if (grammars.size() >= GRAMMARS) {
      grammars.remove(grammars.keySet().iterator().next());
    }
    grammars.put(form, made);
    return made;
  }

  private void requireOpen() {
    if (closed) {
      throw new ClosedException("model " + info.id() + " is closed; load it again to use it");
    }
  }

  @Override
  public Tokens tokenize(String value) {
    requireOpen();
    Tokenizer.Encoded encoded = tokenizer.encode(value, true);
    return new Tokens(
        Arrays.stream(encoded.ids()).boxed().toList(), Arrays.asList(encoded.tokens()));
  }

  /** The patches of a picture, one a row, as the processor orders them. */
  @Override
  public Pixels preprocess(Image image) {
    requireOpen();
    Check.notNull(image, "image");
    PictureInput input = vision.input();
    Grid grid = input.grid(1, image.width(), image.height(), input.limits(0, 0));
    Tensor patches = input.patches(List.of(image), grid, 0, 1);
    int rows = grid.patches();
    return new Pixels(
        List.of(rows, Math.toIntExact(patches.elements() / rows)), patches.toFloats());
  }

  @Override
  public Optional<String> firstNonFinite(Image image) {
    throw new UnsupportedModelException("Looking into the layers of this family is not supported");
  }

  @Override
  public Optional<String> firstNonFinite(String value) {
    throw new UnsupportedModelException("Looking into the layers of this family is not supported");
  }

  /** A picture of 36 x 27 cells (about 1,000 x 750 pixels); one token at a context of 1,024. */
  @Override
  public Map<String, Double> flops() {
    return Map.of(
        "image",
        Flops.of(
            vision.program().graph(),
            symbol ->
                switch (symbol) {
                  case "cells" -> 36 * 27;
                  case "windows" -> 9 * 7;
                  default -> 1;
                }),
        "text",
        Flops.of(text.program().graph(), symbol -> symbol.equals("capacity") ? 1024 : 1));
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      vision.close();
      text.close();
      watch.close();
      tokenizer.close();
    }
  }

  /** The stream of a question without a conversation around it. */
  private record OwningStream(Conversation owner, TokenStream stream) implements TokenStream {
    @Override
    public boolean hasNext() {
      return stream.hasNext();
    }

    @Override
    public Piece next() {
      return stream.next();
    }

    @Override
    public Answer answer() {
      return stream.answer();
    }

    @Override
    public void close() {
      stream.close();
      owner.close();
    }
  }

  /** The role, whose closing closes nothing. */
  record Role(QwenModel model) implements Chat {
    @Override
    public ModelInfo info() {
      return model.info();
    }

    @Override
    public Summary summary() {
      return model.summary();
    }

    @Override
    public Conversation conversation(@Nullable String system) {
      return model.conversation(system);
    }

    @Override
    public ChatRequest ask(String text) {
      return model.ask(text);
    }

    @Override
    public AnswersRequest answers() {
      return model.answers();
    }

    @Override
    public void close() {}
  }

  /** The role, whose closing closes nothing. */
  private record GrounderRole(QwenModel model) implements Grounder {
    @Override
    public ModelInfo info() {
      return model.info();
    }

    @Override
    public Summary summary() {
      return model.summary();
    }

    @Override
    public LocateRequest locate(Image picture, String query) {
      return model.locate(picture, query);
    }

    @Override
    public void close() {}
  }
}
