package dev.lmm.blip2.internal;

import dev.lmm.Attention;
import dev.lmm.AttentionMap;
import dev.lmm.AttentionRequest;
import dev.lmm.Cancellation;
import dev.lmm.Check;
import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.InvalidRequestException;
import dev.lmm.Match;
import dev.lmm.MatchRequest;
import dev.lmm.Matcher;
import dev.lmm.Model;
import dev.lmm.ModelInfo;
import dev.lmm.Queries;
import dev.lmm.QueriesRequest;
import dev.lmm.RetrieveRequest;
import dev.lmm.Retrieved;
import dev.lmm.Summary;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.EncoderRole;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.Stage;
import dev.lmm.core.family.StageContext;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A loaded model of the first stage: vision tower and Q-Former. Thread-safe. */
final class MatcherModel implements Model, Matcher, Inspection {
  private final Parts parts;
  private final MatcherConfig config;
  private final MatcherWatch watch;

  private MatcherModel(LoadContext context, Parts parts, MatcherConfig config) {
    this.parts = parts;
    this.config = config;
    this.watch = new MatcherWatch(context, config);
  }

  static MatcherModel load(LoadContext context) {
    MatcherConfig config = MatcherConfig.of(context.config()).sized(context.folder());
    WeightUsage usage = new WeightUsage(context.weights(), context.config().source());
    Map<String, Graph> graphs = graphs(config, usage);
    // A row of numbers from 0 that older files keep.
    usage.requireAllRead(name -> name.equals("embeddings.position_ids"));
    return new MatcherModel(context, Parts.open(context, config.vision(), graphs), config);
  }

  private static Map<String, Graph> graphs(MatcherConfig config, WeightUsage usage) {
    Map<String, Graph> graphs = new LinkedHashMap<>();
    graphs.put("vision", VisionGraph.of(config.vision(), usage));
    graphs.put("sight", MatchGraphs.sight(config, usage));
    graphs.put("qformer", MatchGraphs.pair(config, usage));
    graphs.put("text", MatchGraphs.text(config, usage));
    return graphs;
  }

  static List<Stage> stages(StageContext context) {
    MatcherConfig config = MatcherConfig.of(context.config()).sized(context.folder());
    Map<String, Long> symbols =
        Map.of("batch", (long) context.size().batch(), "s", (long) USUAL_TEXT);
    WeightUsage usage = new WeightUsage(context.weights(), context.config().source());
    return graphs(config, usage).values().stream()
        .map(graph -> Stage.of(graph, context.weights(), symbols))
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
  public Matcher matcher() {
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
            String beside = request.text();
            int[] ids = beside == null ? null : encode(List.of(beside)).get(0);
            MatchRun run = new MatchRun(1, request.cancellation(), null);
            run.check();
            Tensor seen = parts.see(parts.pictures().tensor(image), run.options());
            return watch.queries().look(seen, ids, run.options()).maps();
          });
    };
  }

  @Override
  public Attention attention() {
    parts.requireOpen();
    return image -> {
      parts.requireOpen();
      Check.notNull(image, "image");
      return new AttentionRequest(request -> attended(image, request));
    };
  }

  /** A text is read as it is matched: beside the queries. */
  private List<AttentionMap> attended(Image image, AttentionRequest request) {
    parts.requireOpen();
    MatchRun run = new MatchRun(1, request.cancellation(), null);
    String text = request.text();
    int[] ids = text == null ? new int[0] : encode(List.of(text)).get(0);
    List<String> words =
        text == null ? List.of() : List.of(parts.tokenizer().encode(text, true).tokens());
    run.check();
    Tensor pixels = parts.pictures().tensor(image);
    return watch.look(pixels, parts.see(pixels, run.options()), ids, words, run.options());
  }

  /**
   * A picture is its queries, each normalised; a text is repeated, so that the cosine of both is
   * the mean over the queries. (A match takes the query that fits best.)
   */
  @Override
  public Encoder encoder() {
    parts.requireOpen();
    int queries = config.numQueryTokens();
    int width = config.imageTextHiddenSize();
    QueryEncoder.Vectors vectors =
        new QueryEncoder.Vectors() {
          @Override
          public float[] picture(Tensor pixels, @Nullable Cancellation cancellation) {
            MatchRun run = new MatchRun(1, cancellation, null);
            return joined(queryVectors(see(pixels, run), run), 1);
          }

          @Override
          public float[] texts(List<String> texts, @Nullable Cancellation cancellation) {
            MatchRun run = new MatchRun(texts.size(), cancellation, null);
            return joined(textVectors(encode(texts), run, false), queries);
          }
        };
    return new EncoderRole<>(
        new QueryEncoder(this, Math.multiplyExact(queries, width), parts.pictures(), vectors));
  }

  /** Rows one after the other, each so often. */
  private static float[] joined(double[][] rows, int times) {
    int width = rows[0].length;
    float[] all = new float[rows.length * times * width];
    for (int i = 0; i < all.length; i++) {
      all[i] = (float) rows[i / width / times][i % width];
    }
    return all;
  }

  /** The model without the right to close it. */
  private record Role(MatcherModel model) implements Matcher {
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
    public MatchRequest match(List<Image> images, List<String> texts) {
      return model.match(images, texts);
    }

    @Override
    public RetrieveRequest retrieve(String text, List<Image> images) {
      return model.retrieve(text, images);
    }

    @Override
    public RetrieveRequest retrieve(Image image, List<String> texts) {
      return model.retrieve(image, texts);
    }

    @Override
    public void close() {}
  }

  // Matching.

  @Override
  public MatchRequest match(List<Image> images, List<String> texts) {
    parts.requireOpen();
    List<Image> allImages = copy(images, "images");
    List<String> allTexts = copy(texts, "texts");
    return new MatchRequest(
        request -> {
          MatchRun run =
              new MatchRun(request.batchSize(), request.cancellation(), request.progress());
          return match(allImages, allTexts, run);
        });
  }

  private List<List<Match>> match(List<Image> images, List<String> texts, MatchRun run) {
    parts.requireOpen();
    run.expect(images.size());
    List<int[]> ids = encode(texts);
    double[][] vectors = textVectors(ids, run, false);
    List<List<Match>> all = new ArrayList<>(images.size());
    for (Image image : images) {
      Map<String, Tensor> seen = see(image, run);
      double[][] queries = queryVectors(seen, run);
      double[] probabilities = probabilities(seen, ids, run, false);
      List<Match> matches = new ArrayList<>(texts.size());
      for (int i = 0; i < vectors.length; i++) {
        matches.add(new Match(texts.get(i), probabilities[i], Cosines.best(queries, vectors[i])));
      }
      all.add(List.copyOf(matches));
      run.done(1);
    }
    return List.copyOf(all);
  }

  @Override
  public RetrieveRequest retrieve(String text, List<Image> images) {
    parts.requireOpen();
    Check.notNull(text, "text");
    List<Image> all = copy(images, "images");
    return new RetrieveRequest(
        request -> {
          parts.requireOpen();
          MatchRun run =
              new MatchRun(request.batchSize(), request.cancellation(), request.progress());
          int again = Math.min(request.reranked(), all.size());
          run.expect((long) all.size() + again);
          List<int[]> ids = encode(List.of(text));
          double[] vector = textVectors(ids, run, false)[0];
          double[] similarities = new double[all.size()];
          for (int i = 0; i < similarities.length; i++) {
            similarities[i] = Cosines.best(queryVectors(see(all.get(i), run), run), vector);
            run.done(1);
          }
          int[] order = falling(similarities);
          double[] probabilities = new double[again];
          for (int k = 0; k < again; k++) {
            // What was seen is not kept: it is larger than most pictures.
            Map<String, Tensor> seen = see(all.get(order[k]), run);
            probabilities[k] = probabilities(seen, ids, run, false)[0];
            run.done(1);
          }
          return ordered(order, similarities, probabilities);
        });
  }

  @Override
  public RetrieveRequest retrieve(Image image, List<String> texts) {
    parts.requireOpen();
    Check.notNull(image, "image");
    List<String> all = copy(texts, "texts");
    return new RetrieveRequest(
        request -> {
          parts.requireOpen();
          MatchRun run =
              new MatchRun(request.batchSize(), request.cancellation(), request.progress());
          int again = Math.min(request.reranked(), all.size());
          run.expect((long) all.size() + again);
          List<int[]> ids = encode(all);
          Map<String, Tensor> seen = see(image, run);
          double[][] queries = queryVectors(seen, run);
          double[][] vectors = textVectors(ids, run, true);
          double[] similarities =
              Arrays.stream(vectors).mapToDouble(v -> Cosines.best(queries, v)).toArray();
          int[] order = falling(similarities);
          List<int[]> best = IntStream.range(0, again).mapToObj(k -> ids.get(order[k])).toList();
          return ordered(order, similarities, probabilities(seen, best, run, true));
        });
  }

  /** Indices by falling value; equals stay in order. */
  private static int[] falling(double[] values) {
    return IntStream.range(0, values.length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> values[i]).reversed())
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private static List<Retrieved> ordered(
      int[] order, double[] similarities, double[] probabilities) {
    List<Retrieved> found = new ArrayList<>(order.length);
    for (int k : falling(probabilities)) {
      found.add(new Retrieved(order[k], similarities[order[k]], probabilities[k]));
    }
    for (int k = probabilities.length; k < order.length; k++) {
      found.add(new Retrieved(order[k], similarities[order[k]], null));
    }
    return List.copyOf(found);
  }

  // The parts.

  /** A picture as the Q-Former looks at it: keys and values. */
  private Map<String, Tensor> see(Image image, MatchRun run) {
    run.check();
    return see(parts.pictures().tensor(image), run);
  }

  private Map<String, Tensor> see(Tensor pixels, MatchRun run) {
    Tensor image = parts.see(pixels, run.options());
    return parts.program("sight").run(Map.of("image", image), Set.of(), run.options());
  }

  /** Normalised vectors of the queries that looked at a picture alone. */
  private double[][] queryVectors(Map<String, Tensor> seen, MatchRun run) {
    // The shortest text stands beside them, unseen.
    TextBatch beside = new TextBatch(List.of(new int[1]));
    Map<String, Tensor> inputs = pairInputs(seen, beside, false);
    Set<String> wanted = Set.of("image_embeds");
    return Cosines.normalized(
        parts.program("qformer").run(inputs, wanted, run.options()).get("image_embeds"));
  }

  /** Normalised vectors of texts alone. */
  private double[][] textVectors(List<int[]> texts, MatchRun run, boolean counted) {
    List<double[]> all = new ArrayList<>(texts.size());
    for (int from = 0; from < texts.size(); from += run.batchSize()) {
      run.check();
      TextBatch batch =
          new TextBatch(texts.subList(from, Math.min(texts.size(), from + run.batchSize())));
      Map<String, Tensor> inputs =
          Map.of("ids", batch.ids(), "places", batch.places(), "mask", batch.mask());
      Tensor vectors =
          parts
              .program("text")
              .run(inputs, Set.of("text_embeds"), run.options())
              .get("text_embeds");
      all.addAll(Arrays.asList(Cosines.normalized(vectors)));
      if (counted) {
        run.done(batch.rows());
      }
    }
    return all.toArray(new double[0][]);
  }

  /** For each text the probability that it belongs to a picture. */
  private double[] probabilities(
      Map<String, Tensor> seen, List<int[]> texts, MatchRun run, boolean counted) {
    double[] all = new double[texts.size()];
    for (int from = 0; from < texts.size(); from += run.batchSize()) {
      run.check();
      TextBatch batch =
          new TextBatch(texts.subList(from, Math.min(texts.size(), from + run.batchSize())));
      Map<String, Tensor> inputs = pairInputs(seen, batch, true);
      float[] logits =
          parts
              .program("qformer")
              .run(inputs, Set.of("logits"), run.options())
              .get("logits")
              .toFloats();
      for (int i = 0; i < batch.rows(); i++) {
        all[from + i] = 1 / (1 + Math.exp((double) logits[2 * i] - logits[2 * i + 1]));
      }
      if (counted) {
        run.done(batch.rows());
      }
    }
    return all;
  }

  private Map<String, Tensor> pairInputs(
      Map<String, Tensor> seen, TextBatch batch, boolean together) {
    Map<String, Tensor> inputs = new HashMap<>(seen);
    inputs.put("ids", batch.ids());
    inputs.put("places", batch.places());
    inputs.put("mask", batch.mask(config.numQueryTokens(), together));
    return inputs;
  }

  private List<int[]> encode(List<String> texts) {
    List<int[]> all = new ArrayList<>(texts.size());
    for (int i = 0; i < texts.size(); i++) {
      int[] ids = parts.tokenizer().encode(texts.get(i), true).ids();
      int most = config.qformer().maxPositionEmbeddings();
      if (ids.length > most) {
        throw new InvalidRequestException(
            "texts["
                + i
                + "]: makes "
                + ids.length
                + " tokens; the model reads at most "
                + most
                + "; shorten it");
      }
      for (int id : ids) {
        if (id >= config.qformer().vocabSize()) {
          throw new InvalidRequestException(
              "texts["
                  + i
                  + "]: holds the token "
                  + parts.tokenizer().decode(new int[] {id}, false)
                  + ", which the model has no word for; leave it out");
        }
      }
      all.add(ids);
    }
    return all;
  }

  private static <T> List<T> copy(List<T> items, String name) {
    Check.notNull(items, name);
    int i = 0;
    for (T item : items) {
      Check.notNull(item, name + "[" + i++ + "]");
    }
    return List.copyOf(items);
  }

  // Inspection.

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
  public Optional<String> firstNonFinite(String value) {
    parts.requireOpen();
    TextBatch batch = new TextBatch(encode(List.of(value)));
    return parts.firstNonFinite(
        "text", Map.of("ids", batch.ids(), "places", batch.places(), "mask", batch.mask()));
  }

  @Override
  public Map<String, Double> flops() {
    return parts.flops((part, symbol) -> symbol.equals("s") ? USUAL_TEXT : 1);
  }

  private static final int USUAL_TEXT = 12; // tokens of a caption

  @Override
  public void close() {
    parts.close();
    watch.close();
  }
}
