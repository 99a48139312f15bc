package dev.lmm.blip2.internal;

import dev.lmm.AttentionMap;
import dev.lmm.Cancellation;
import dev.lmm.Check;
import dev.lmm.core.decode.KvCache;
import dev.lmm.core.decode.ProgramCache;
import dev.lmm.core.decode.Prompt;
import dev.lmm.core.decode.StepInput;
import dev.lmm.core.decode.StepModel;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * OPT as decoding sees it: pre-norm layers, learned positions that begin two rows down the table,
 * the head the table itself.
 *
 * <p>Source: Zhang et al., OPT: Open Pre-trained Transformer Language Models (2022).
 */
final class OptModel implements StepModel, Language {
  private static final double EPSILON = 1e-5; // torch's default; no config has it
  private static final int OFFSET = 2; // the table's first rows, left over from padding

  private final Program program;
  private final OptConfig config;

  OptModel(Program program, OptConfig config) {
    this.program = program;
    this.config = config;
  }

  /**
   * One step: {@code ids} and {@code positions} [batch, s], {@code foreign} [batch, s, width] which
   * stands where {@code isForeign} [batch, s, 1] holds, {@code past} [batch], {@code last} [1] the
   * entry whose {@code logits} [batch, vocabulary] are wanted.
   */
  static Graph graph(OptConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("blip2.language", weights);
    GraphBuilder m = root.at("language_model");
    GraphBuilder g = m.at("model.decoder");
    long width = config.hiddenSize();
    int heads = config.numAttentionHeads();
    long d = width / heads;
    Value x = embedded(root, config);
    Value past = root.input("past", DType.I32, "batch");
    Value last = root.input("last", DType.I64, 1);
    for (int i = 0; i < config.numHiddenLayers(); i++) {
      GraphBuilder layer = g.at("layers").at(i);
      Value h = layer.layerNorm("self_attn_layer_norm", x, EPSILON);
      GraphBuilder a = layer.at("self_attn");
      Value attended =
          a.cachedAttention(
              a.linear("q_proj", h, width),
              a.linear("k_proj", h, width),
              a.linear("v_proj", h, width),
              layer.state("keys", DType.F32, "batch", heads, "capacity", d),
              layer.state("values", DType.F32, "batch", heads, "capacity", d),
              past,
              null,
              new Attributes.CachedAttention(heads, heads, 1 / Math.sqrt((double) d), 0));
      x = behindAttention(layer, x, attended, config);
    }
    // The head is wide: only the last entry goes through it.
    Value end = g.reshape(g.gather(x, last, 1), "batch", width);
    end = g.layerNorm("final_layer_norm", end, EPSILON);
    boolean own = !config.tieWordEmbeddings() && m.has("lm_head.weight");
    Value head =
        own
            ? m.weight("lm_head.weight", config.vocabSize(), width)
            : g.weight("embed_tokens.weight", config.vocabSize(), width);
    root.output("logits", m.linear(end, head, null));
    return root.build();
  }

  /**
   * A whole text watched: {@code ids}, {@code positions}, {@code foreign} and {@code isForeign} as
   * in a step to {@code layer0}, {@code layer1} ... [batch, heads, s, s], what entries attend to.
   */
  static Graph watched(OptConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("blip2.language", weights);
    GraphBuilder g = root.at("language_model.model.decoder");
    long width = config.hiddenSize();
    int heads = config.numAttentionHeads();
    double scale = 1 / Math.sqrt(width / (double) heads);
    Value x = embedded(root, config);
    for (int i = 0; i < config.numHiddenLayers(); i++) {
      GraphBuilder layer = g.at("layers").at(i);
      Value h = layer.layerNorm("self_attn_layer_norm", x, EPSILON);
      GraphBuilder a = layer.at("self_attn");
      List<Value> attended =
          a.attention(
              a.linear("q_proj", h, width),
              a.linear("k_proj", h, width),
              a.linear("v_proj", h, width),
              null,
              null,
              new Attributes.Attention(heads, heads, scale, true, 0, true));
      root.output("layer" + i, attended.get(1));
      x = behindAttention(layer, x, attended.get(0), config);
    }
    return root.build();
  }

  /** What the layers are given: [batch, s, width]. */
  private static Value embedded(GraphBuilder root, OptConfig config) {
    GraphBuilder g = root.at("language_model.model.decoder");
    long width = config.hiddenSize();
    Value ids = root.input("ids", DType.I64, "batch", "s");
    Value positions = root.input("positions", DType.I64, "batch", "s");
    Value foreign = root.input("foreign", DType.F32, "batch", "s", width);
    Value isForeign = root.input("isForeign", DType.BOOL, "batch", "s", 1);
    Value x = g.embedding("embed_tokens", ids, config.vocabSize(), width);
    x = g.where(isForeign, foreign, x);
    long rows = (long) config.maxPositionEmbeddings() + OFFSET;
    return g.add(x, g.embedding("embed_positions", positions, rows, width));
  }

  private static Value behindAttention(
      GraphBuilder layer, Value x, Value attended, OptConfig config) {
    long width = config.hiddenSize();
    x = layer.add(x, layer.at("self_attn").linear("out_proj", attended, width));
    Value h = layer.layerNorm("final_layer_norm", x, EPSILON);
    h = layer.unary(config.activationFunction(), layer.linear("fc1", h, config.ffnDim()));
    return layer.add(x, layer.linear("fc2", h, width));
  }

  @Override
  public StepModel model() {
    return this;
  }

  /** Positions count from the first query. */
  @Override
  public Prompt prompt(
      int[] ids, int queries, Supplier<Tensor> projected, @Nullable Cancellation cancellation) {
    return Prompt.of(ids).embedded(0, queries, new Object(), projected);
  }

  /** The answer stands behind the queries and what begins a text. */
  @Override
  public List<AttentionMap> watched(
      Blip2Watch watch,
      int[] empty,
      Tensor projected,
      int[] answer,
      IntFunction<String> name,
      SeenMaps looked,
      RunOptions run) {
    int[] words = IntStream.concat(Arrays.stream(empty), Arrays.stream(answer)).toArray();
    int queries = (int) projected.dim(0);
    int[] ids = new int[queries + words.length];
    System.arraycopy(words, 0, ids, queries, words.length);
    Check.that(
        ids.length <= contextLength(),
        "text: has "
            + ids.length
            + " tokens with the queries; the model's context holds "
            + contextLength());
    List<String> names = Arrays.stream(words).mapToObj(name).toList();
    return watch.words(this, ids, projected, looked, names, run);
  }

  @Override
  public int vocabularySize() {
    return config.vocabSize();
  }

  @Override
  public int contextLength() {
    return config.maxPositionEmbeddings();
  }

  @Override
  public KvCache newCache(int rows, int capacity) {
    return new ProgramCache(
        program, rows, capacity, Map.of("batch", (long) rows, "capacity", (long) capacity));
  }

  @Override
  public @Nullable Tensor step(
      KvCache cache, StepInput input, @Nullable Cancellation cancellation) {
    Map<String, Tensor> inputs = embeddings(input);
    inputs.put("past", input.pastTensor());
    inputs.put("last", Tensor.of(new long[] {input.count() - 1}, 1));
    return program
        .run(inputs, Set.of("logits"), new RunOptions(((ProgramCache) cache).state(), cancellation))
        .get("logits");
  }

  /** What a step and a watched text are given alike. */
  Map<String, Tensor> embeddings(StepInput input) {
    int rows = input.rows();
    int count = input.count();
    int width = config.hiddenSize();
    long[] positions = new long[rows * count];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = input.positions()[0][i] + (long) OFFSET;
    }
    Tensor foreign = Tensor.zeros(DType.F32, rows, count, width);
    Tensor isForeign = Tensor.zeros(DType.BOOL, rows, count, 1);
    FloatBuffer target = foreign.floats();
    for (StepInput.Slice slice : input.embeddings()) {
      int at = slice.row() * count + slice.at();
      FloatBuffer source = slice.values().floats();
      target.put(at * width, source, slice.first() * width, slice.count() * width);
      for (int i = 0; i < slice.count(); i++) {
        isForeign.data().put(at + i, (byte) 1);
      }
    }
    Map<String, Tensor> inputs = new HashMap<>();
    inputs.put("ids", input.idsTensor());
    inputs.put("positions", Tensor.of(positions, rows, count));
    inputs.put("foreign", foreign);
    inputs.put("isForeign", isForeign);
    return inputs;
  }
}
