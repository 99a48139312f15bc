package dev.lmm.blip2.internal;

import dev.lmm.ClosedException;
import dev.lmm.QueryMaps;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The Q-Former watched at work: the same layers, with attention probabilities as outputs. Compiled
 * when it is first wanted. Thread-safe.
 */
final class QueryWatch implements AutoCloseable {
  private final LoadContext context;
  private final int queries;
  private final Blip2Config.Vision vision;
  private final Blip2Config.QFormer config;
  private @Nullable Program alone;
  private @Nullable Program withText;
  private boolean closed;

  QueryWatch(
      LoadContext context, int queries, Blip2Config.Vision vision, Blip2Config.QFormer config) {
    this.context = context;
    this.queries = queries;
    this.vision = vision;
    this.config = config;
  }

  /**
   * {@code image} [1, rows, vision width] and perhaps {@code ids} and {@code places} I64 [1, s] to
   * {@code cross} [layers that look, heads, queries, rows] and {@code self} [layers, heads, all,
   * all].
   */
  static Graph graph(
      int queries,
      Blip2Config.Vision vision,
      Blip2Config.QFormer config,
      boolean text,
      WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("blip2.qformer", weights);
    QFormer former = new QFormer(root, config, true);
    Value image = root.input("image", DType.F32, 1, vision.rows(), vision.hiddenSize());
    Value x = former.queries(queries);
    if (text) {
      Value ids = root.input("ids", DType.I64, 1, Dim.symbol("s"));
      Value places = root.input("places", DType.I64, 1, Dim.symbol("s"));
      x = root.concat(1, x, former.words(ids, places));
    }
    root.output(
        "states", former.layers(former.norm(x), queries, i -> former.picture(image, i), null));
    root.output("cross", root.concat(0, former.crossed().toArray(new Value[0])));
    root.output("self", root.concat(0, former.exchanged().toArray(new Value[0])));
    return root.build();
  }

  /**
   * Where the queries looked.
   *
   * @param maps for callers
   * @param cross for each layer that looks at the picture [heads, queries, rows]
   * @param self for each layer [heads, all, all] among queries and text
   */
  record Looked(QueryMaps maps, List<float[]> cross, List<float[]> self) {}

  /**
   * Where the queries look.
   *
   * @param seen the picture as the vision tower gives it, [1, rows, width]
   * @param ids the text beside them, or null
   */
  Looked look(Tensor seen, int @Nullable [] ids, RunOptions options) {
    Map<String, Tensor> inputs = new HashMap<>();
    inputs.put("image", seen);
    if (ids != null) {
      TextBatch text = new TextBatch(List.of(ids));
      inputs.put("ids", text.ids());
      inputs.put("places", text.places());
    }
    Map<String, Tensor> found = program(ids != null).run(inputs, Set.of("cross", "self"), options);
    float[] cross = found.get("cross").toFloats();
    float[] self = found.get("self").toFloats();
    List<Integer> layers =
        IntStream.range(0, config.numHiddenLayers()).filter(config::crosses).boxed().toList();
    int all = queries + (ids == null ? 0 : ids.length);
    QueryMaps maps =
        new QueryMaps(
            vision.down(),
            vision.across(),
            queries,
            config.numAttentionHeads(),
            layers,
            cross,
            rollout(cross, self, all));
    return new Looked(maps, parts(cross, layers.size()), parts(self, config.numHiddenLayers()));
  }

  private static List<float[]> parts(float[] whole, int count) {
    int each = whole.length / count;
    return IntStream.range(0, count)
        .mapToObj(i -> Arrays.copyOfRange(whole, i * each, (i + 1) * each))
        .toList();
  }

  private synchronized Program program(boolean text) {
    if (closed) {
      throw new ClosedException(context.info().id() + " was closed");
    }
    Program known = text ? withText : alone;
    if (known == null) {
      WeightUsage usage = new WeightUsage(context.weights(), context.config().source());
      known = context.compile(graph(queries, vision, config, text, usage));
      if (text) {
        withText = known;
      } else {
        alone = known;
      }
    }
    return known;
  }

  /**
   * What each query's last state is made of: [queries, rows], each row of sum 1. A layer makes half
   * of a state anew: of the states it attends to, or of the picture's rows. Queries themselves come
   * from nowhere in the picture; that share is left out.
   */
  private float[] rollout(float[] cross, float[] self, int all) {
    int heads = config.numAttentionHeads();
    int rows = vision.rows();
    double[][] flow = new double[all][rows];
    int looked = 0;
    for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
      double[][] next = new double[all][rows];
      for (int to = 0; to < all; to++) {
        for (int from = 0; from < all; from++) {
          double weight = 0;
          for (int head = 0; head < heads; head++) {
            weight += self[((layer * heads + head) * all + to) * all + from];
          }
          weight = 0.5 * weight / heads + (from == to ? 0.5 : 0);
          for (int i = 0; i < rows; i++) {
            next[to][i] += weight * flow[from][i];
          }
        }
      }
      if (config.crosses(layer)) {
        for (int query = 0; query < queries; query++) {
          for (int i = 0; i < rows; i++) {
            double mean = 0;
            for (int head = 0; head < heads; head++) {
              mean += cross[((looked * heads + head) * queries + query) * rows + i];
            }
            next[query][i] = 0.5 * next[query][i] + 0.5 * mean / heads;
          }
        }
        looked++;
      }
      flow = next;
    }
    float[] result = new float[queries * rows];
    for (int query = 0; query < queries; query++) {
      double sum = 0;
      for (double value : flow[query]) {
        sum += value;
      }
      for (int i = 0; i < rows; i++) {
        result[query * rows + i] = (float) (flow[query][i] / sum);
      }
    }
    return result;
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (alone != null) {
      alone.close();
    }
    if (withText != null) {
      withText.close();
    }
  }
}
