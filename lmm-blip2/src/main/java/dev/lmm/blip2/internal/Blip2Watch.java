package dev.lmm.blip2.internal;

import dev.lmm.AttentionMap;
import dev.lmm.AttentionMap.Axis;
import dev.lmm.AttentionMap.Kind;
import dev.lmm.ClosedException;
import dev.lmm.QueryMaps;
import dev.lmm.core.decode.StepInput;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The second stage watched at work: what patches attend to in the vision tower, and words in the
 * language model. The watched graphs are compiled when they are first wanted. Thread-safe.
 */
final class Blip2Watch implements AutoCloseable {
  private final LoadContext context;
  private final Blip2Config config;
  private @Nullable Program vision;
  private @Nullable Program language;
  private boolean closed;

  Blip2Watch(LoadContext context, Blip2Config config) {
    this.context = context;
    this.config = config;
  }

  /** The graph in which a whole text is read. */
  static Graph language(Blip2Config config, WeightUsage usage) {
    return config.text() instanceof T5Config t5
        ? T5Graphs.decoder(t5, true, usage)
        : OptModel.watched((OptConfig) config.text(), usage);
  }

  /** What patches attend to. */
  AttentionMap patches(Tensor pixels, RunOptions run) {
    Program program;
    synchronized (this) {
      program = compiled(vision, usage -> VisionGraph.watched(config.vision(), usage));
      vision = program;
    }
    Map<String, Tensor> found = program.run(Map.of("pixels", pixels), Set.of(), run);
    Axis axis = seen();
    return new AttentionMap(
        Kind.PATCH_TO_PATCH,
        axis,
        axis,
        config.vision().numAttentionHeads(),
        layers(found, "layer"));
  }

  private Axis seen() {
    Blip2Config.Vision vision = config.vision();
    return Axis.patches(vision.down(), vision.across(), Axis.WHOLE, "[CLS]");
  }

  /**
   * What the words of a text attend to as OPT reads it.
   *
   * @param opt prepares what is read
   * @param ids placeholders of the queries, then the words
   * @param projected the queries in OPT's width
   * @param looked where the queries look
   * @param words the words' names
   */
  List<AttentionMap> words(
      OptModel opt,
      int[] ids,
      Tensor projected,
      QueryMaps looked,
      List<String> words,
      RunOptions run) {
    int queries = config.numQueryTokens();
    StepInput input =
        new StepInput(
            1,
            ids.length,
            new int[1],
            ids,
            new int[][] {IntStream.range(0, ids.length).toArray()},
            List.of(new StepInput.Slice(0, 0, queries, projected, 0)),
            false);
    Map<String, Tensor> found = language().run(opt.embeddings(input), Set.of(), run);
    int heads = ((OptConfig) config.text()).numAttentionHeads();
    List<float[]> all = layers(found, "layer");
    List<float[]> toWords = new ArrayList<>();
    List<float[]> toQueries = new ArrayList<>();
    for (float[] layer : all) {
      toWords.add(part(layer, ids.length, queries, queries, ids.length));
      toQueries.add(part(layer, ids.length, queries, 0, queries));
    }
    return maps(words, heads, toWords, toQueries, looked);
  }

  /**
   * What the words of a text attend to as T5 writes it.
   *
   * @param model prepares what is read
   * @param source what the encoder has made of the queries and the prompt
   * @param ids the start token, then the words
   * @param looked where the queries look
   * @param words the words' names
   */
  List<AttentionMap> words(
      T5Model model,
      Map<String, Tensor> source,
      int[] ids,
      QueryMaps looked,
      List<String> words,
      RunOptions run) {
    Map<String, Tensor> found = language().run(model.whole(source, ids), Set.of(), run);
    int heads = ((T5Config) config.text()).numHeads();
    List<float[]> toQueries = new ArrayList<>();
    for (float[] layer : layers(found, "cross")) {
      int read = layer.length / heads / ids.length;
      toQueries.add(part(layer, read, 0, 0, config.numQueryTokens()));
    }
    return maps(words, heads, layers(found, "self"), toQueries, looked);
  }

  private List<AttentionMap> maps(
      List<String> words,
      int heads,
      List<float[]> toWords,
      List<float[]> toQueries,
      QueryMaps looked) {
    int queries = config.numQueryTokens();
    Axis from = Axis.words(words);
    Axis through = Axis.words(IntStream.range(0, queries).mapToObj(q -> "query " + q).toList());
    // What a query looks at: the mean over the Q-Former's layers and heads, the class token first.
    float[][] regions = new float[queries][];
    for (int query = 0; query < queries; query++) {
      float[] mean = looked.mean(query);
      regions[query] = new float[mean.length + 1];
      regions[query][0] = (float) looked.elsewhere(query);
      System.arraycopy(mean, 0, regions[query], 1, mean.length);
    }
    int patches = regions[0].length;
    List<float[]> toRegions = new ArrayList<>();
    for (float[] layer : toQueries) {
      float[] region = new float[layer.length / queries * patches];
      for (int row = 0; row < layer.length / queries; row++) {
        for (int i = 0; i < patches; i++) {
          double sum = 0;
          for (int query = 0; query < queries; query++) {
            sum += (double) layer[row * queries + query] * regions[query][i];
          }
          region[row * patches + i] = (float) sum;
        }
      }
      toRegions.add(region);
    }
    return List.of(
        new AttentionMap(Kind.TEXT_TO_TEXT, from, from, heads, toWords),
        new AttentionMap(Kind.WORD_TO_QUERY, from, through, heads, toQueries),
        new AttentionMap(Kind.WORD_TO_REGION, from, seen(), heads, toRegions));
  }

  /** Of rows of a width, those from {@code first} on in each head, and of them some columns. */
  private static float[] part(float[] layer, int width, int first, int begin, int end) {
    // Square where rows are left out; otherwise all rows are wanted.
    int rows = first == 0 ? layer.length / width : width;
    int kept = rows - first;
    int blocks = layer.length / width / rows;
    float[] part = new float[blocks * kept * (end - begin)];
    int to = 0;
    for (int block = 0; block < blocks; block++) {
      for (int row = first; row < rows; row++) {
        int from = (block * rows + row) * width;
        System.arraycopy(layer, from + begin, part, to, end - begin);
        to += end - begin;
      }
    }
    return part;
  }

  private static List<float[]> layers(Map<String, Tensor> found, String name) {
    List<float[]> layers = new ArrayList<>();
    for (Tensor layer = found.get(name + 0); layer != null; ) {
      layers.add(layer.toFloats());
      layer = found.get(name + layers.size());
    }
    return layers;
  }

  private synchronized Program language() {
    Program program = compiled(language, usage -> language(config, usage));
    language = program;
    return program;
  }

  private Program compiled(@Nullable Program known, Function<WeightUsage, Graph> graph) {
    if (closed) {
      throw new ClosedException(context.info().id() + " was closed");
    }
    return known != null
        ? known
        : context.compile(
            graph.apply(new WeightUsage(context.weights(), context.config().source())));
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (vision != null) {
      vision.close();
    }
    if (language != null) {
      language.close();
    }
  }
}
