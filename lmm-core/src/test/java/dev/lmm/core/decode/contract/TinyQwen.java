package dev.lmm.core.decode.contract;

import dev.lmm.Cancellation;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.decode.KvCache;
import dev.lmm.core.decode.ProgramCache;
import dev.lmm.core.decode.StepInput;
import dev.lmm.core.decode.StepModel;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The tiny Qwen2 of the goldens as a step model: how a family does it, in one class. */
public final class TinyQwen implements StepModel, AutoCloseable {
  private static final int WIDTH = 32;
  private static final int HEADS = 4;
  private static final int KV_HEADS = 2;
  private static final int HEAD = 8;
  private static final int VOCABULARY = 97;

  private final CheckpointWeights weights;
  private final Program program;

  /** Every step's input, for tests that count what was read. */
  public final List<StepInput> steps = new ArrayList<>();

  /** Called before each step. */
  public Runnable before = () -> {};

  /**
   * Compiles it.
   *
   * @param engine what computes
   * @param file the golden's model.safetensors
   */
  public TinyQwen(Engine engine, Path file) {
    weights = CheckpointWeights.ofSafetensors("tiny", List.of(file));
    program = engine.compile(graph(weights), weights, CompileOptions.DEFAULT);
  }

  private static Graph graph(CheckpointWeights weights) {
    GraphBuilder root = new GraphBuilder("tiny-qwen", new WeightUsage(weights, "the golden"));
    Value embeddings = root.input("embeddings", DType.F32, "batch", "s", WIDTH);
    Value angles = root.input("angles", DType.F32, "batch", "s", HEAD / 2);
    Value past = root.input("past", DType.I32, "batch");
    Value last = root.input("last", DType.I64, 1);
    Value cos = root.unary(Op.COS, angles);
    Value sin = root.unary(Op.SIN, angles);
    Value x = embeddings;
    for (int layer = 0; layer < 3; layer++) {
      GraphBuilder g = root.at("model.layers").at(layer);
      GraphBuilder a = g.at("self_attn");
      Value n = g.rmsNorm("input_layernorm", x, 1e-6);
      Value attended =
          a.cachedAttention(
              a.rotary(a.linear("q_proj", n, HEADS * HEAD), cos, sin, HEADS, false),
              a.rotary(a.linear("k_proj", n, KV_HEADS * HEAD), cos, sin, KV_HEADS, false),
              a.linear("v_proj", n, KV_HEADS * HEAD),
              g.state("keys." + layer, DType.F32, "batch", KV_HEADS, "capacity", HEAD),
              g.state("values." + layer, DType.F32, "batch", KV_HEADS, "capacity", HEAD),
              past,
              null,
              new Attributes.CachedAttention(HEADS, KV_HEADS, 1 / Math.sqrt(HEAD), 0));
      x = g.add(x, a.linearNoBias("o_proj", attended, WIDTH));
      GraphBuilder m = g.at("mlp");
      Value h = g.rmsNorm("post_attention_layernorm", x, 1e-6);
      Value gated =
          g.mul(
              g.unary(Op.SILU, m.linearNoBias("gate_proj", h, 48)),
              m.linearNoBias("up_proj", h, 48));
      x = g.add(x, m.linearNoBias("down_proj", gated, WIDTH));
    }
    // The head is wide: only the last entry goes through it.
    Value end = root.reshape(root.gather(x, last, 1), "batch", WIDTH);
    Value normed = root.at("model").rmsNorm("norm", end, 1e-6);
    root.output("logits", root.linearNoBias("lm_head", normed, VOCABULARY));
    return root.build();
  }

  @Override
  public int vocabularySize() {
    return VOCABULARY;
  }

  @Override
  public int contextLength() {
    return 160;
  }

  @Override
  public KvCache newCache(int rows, int capacity) {
    return new ProgramCache(
        program, rows, capacity, Map.of("batch", (long) rows, "capacity", (long) capacity));
  }

  /** The rows of the embedding table, as a family's vision tower would give them. */
  public Tensor embeddings(int... ids) {
    Tensor rows = Tensor.zeros(DType.F32, ids.length, WIDTH);
    var table =
        weights
            .map("model.embed_tokens.weight", 0, VOCABULARY * WIDTH * 4)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < ids.length; i++) {
      for (int k = 0; k < WIDTH; k++) {
        rows.data().putFloat((i * WIDTH + k) * 4, table.getFloat((ids[i] * WIDTH + k) * 4));
      }
    }
    return rows;
  }

  @Override
  public @Nullable Tensor step(
      KvCache cache, StepInput input, @Nullable Cancellation cancellation) {
    before.run();
    steps.add(input);
    int entries = input.rows() * input.count();
    int[] ids = input.ids().clone();
    for (int i = 0; i < ids.length; i++) {
      ids[i] = Math.max(0, ids[i]);
    }
    Tensor embeddings =
        Tensor.of(
            DType.F32, new long[] {input.rows(), input.count(), WIDTH}, embeddings(ids).data());
    for (StepInput.Slice slice : input.embeddings()) {
      int at = (slice.row() * input.count() + slice.at()) * WIDTH;
      for (int k = 0; k < slice.count() * WIDTH; k++) {
        embeddings
            .data()
            .putFloat(
                (at + k) * 4, slice.values().data().getFloat((slice.first() * WIDTH + k) * 4));
      }
    }
    float[] angles = new float[entries * HEAD / 2];
    for (int i = 0; i < angles.length; i++) {
      double frequency = Math.pow(10000, -2.0 * (i % (HEAD / 2)) / HEAD);
      angles[i] = (float) (input.positions()[0][i / (HEAD / 2)] * frequency);
    }
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    inputs.put("embeddings", embeddings);
    inputs.put("angles", Tensor.of(angles, input.rows(), input.count(), HEAD / 2));
    inputs.put("past", input.pastTensor());
    inputs.put("last", Tensor.of(new long[] {input.count() - 1}, 1));
    return program
        .run(inputs, Set.of("logits"), new RunOptions(((ProgramCache) cache).state(), cancellation))
        .get("logits");
  }

  @Override
  public void close() {
    program.close();
    weights.close();
  }
}
