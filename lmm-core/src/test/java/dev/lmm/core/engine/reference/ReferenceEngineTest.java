package dev.lmm.core.engine.reference;

import static dev.lmm.core.engine.contract.Closeness.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.EngineException;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.checkpoint.RandomWeights;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.contract.OpGoldens;
import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.Verifier;
import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.graph.WeightSource;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReferenceEngineTest {
  @TempDir Path folder;

  private static GraphBuilder builder() {
    return new GraphBuilder("g", new WeightUsage(WeightSource.anything(), "test"));
  }

  @Test
  void isFoundByNameAndNeverChosenByItself() {
    assertThat(Engines.choose("reference")).isInstanceOf(ReferenceEngine.class);
    assertThat(Engines.all()).anyMatch(e -> e.name().equals("reference") && e.priority() == 0);
    assertThatThrownBy(
            () -> {
              try (RandomWeights weights = new RandomWeights(1)) {
                new ReferenceEngine()
                    .compile(graph(), weights, new CompileOptions("cuda:0", false, 0));
              }
            })
        .isInstanceOf(EngineException.class)
        .hasMessage("engine reference does not compute on cuda:0; it computes on cpu");
  }

  private static Graph graph() {
    GraphBuilder g = builder();
    g.output("y", g.unary(Op.NEG, g.input("x", DType.F32, 1)));
    return g.build();
  }

  @Test
  void torchKnowsEveryOperator() throws Exception {
    try (OpGoldens goldens = new OpGoldens(folder)) {
      Set<Op> known =
          goldens.cases().stream()
              .map(c -> Op.valueOf(c.stringAt("op")))
              .collect(Collectors.toSet());
      assertThat(known).isEqualTo(EnumSet.allOf(Op.class));
    }
  }

  @Test
  void cachedAttentionAgreesWithTorch() throws Exception {
    int compared = 0;
    try (OpGoldens goldens = new OpGoldens(folder)) {
      for (Json golden : goldens.cases()) {
        if (golden.stringAt("op").equals("CACHED_ATTENTION")) {
          cachedAttention(goldens, golden);
          compared++;
        }
      }
    }
    assertThat(compared).isEqualTo(6);
  }

  private static void cachedAttention(OpGoldens goldens, Json golden) {
    List<String> keys = golden.at("inputs").elements().stream().map(Json::string).toList();
    Json a = golden.at("attributes");
    GraphBuilder g = builder();
    Value[] values = new Value[7];
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    Map<String, Tensor> states = new LinkedHashMap<>();
    for (int i = 0; i < keys.size(); i++) {
      Tensor tensor = goldens.tensor(keys.get(i));
      Object[] dims = new Object[tensor.shape().length];
      for (int axis = 0; axis < dims.length; axis++) {
        dims[axis] = tensor.dim(axis);
      }
      if (i == 3 || i == 4) {
        values[i] = g.state("state" + i, DType.F32, dims);
        states.put("state" + i, tensor);
      } else {
        values[i] = g.input("in" + i, tensor.dtype(), dims);
        inputs.put("in" + i, tensor);
      }
    }
    g.output(
        "y",
        g.cachedAttention(
            values[0],
            values[1],
            values[2],
            values[3],
            values[4],
            values[5],
            values[6],
            new Attributes.CachedAttention(
                a.intAt("heads"), a.intAt("kvHeads"), a.doubleAt("scale"), a.intAt("window"))));
    String name = golden.stringAt("name");
    List<Tensor> expected = List.copyOf(goldens.outputs(golden).values());
    try (RandomWeights weights = new RandomWeights(1);
        ReferenceProgram program = new ReferenceProgram(g.build(), weights);
        ReferenceState state = (ReferenceState) program.newState(Map.of())) {
      states.forEach(state::restore);
      Tensor y = program.run(inputs, Set.of(), new RunOptions(state, null)).get("y");
      assertClose(name, y, expected.get(0), 2e-6);
      assertClose(name + " keys", state.tensor("state3"), expected.get(1), 0);
      assertClose(name + " values", state.tensor("state4"), expected.get(2), 0);
    }
  }

  @Test
  void aFullStateRefusesAndStaysAsItWas() {
    GraphBuilder g = builder();
    Value q = g.input("q", DType.F32, 1, "s", 2);
    Value keys = g.state("keys", DType.F32, 1, 1, 3, 2);
    Value values = g.state("values", DType.F32, 1, 1, 3, 2);
    Value past = g.input("past", DType.I32, 1);
    g.output(
        "y",
        g.cachedAttention(
            q, q, q, keys, values, past, null, new Attributes.CachedAttention(1, 1, 1, 0)));
    try (RandomWeights weights = new RandomWeights(1);
        ReferenceProgram program = new ReferenceProgram(g.build(), weights);
        ReferenceState state = (ReferenceState) program.newState(Map.of())) {
      Map<String, Tensor> inputs =
          Map.of(
              "q",
              Tensor.of(new float[] {1, 2, 3, 4}, 1, 2, 2),
              "past",
              Tensor.of(new int[] {2}, 1));
      assertThatThrownBy(() -> program.run(inputs, Set.of(), new RunOptions(state, null)))
          .isInstanceOf(EngineException.class)
          .hasMessage(
              "/cached_attention (CACHED_ATTENTION): row 0 keeps 2 entries and gets 2 more; the"
                  + " state has room for 3");
      assertThat(state.tensor("keys").toFloats()).containsOnly(0f);
    }
  }

  @Test
  void errorsNameTheNode() {
    GraphBuilder g = builder();
    Value ids = g.input("ids", DType.I64, "n");
    g.output("y", g.at("tokens").embedding(ids, g.weight("tokens.weight", 5, 2)));
    g.output("half", g.binary(Op.DIV, ids, g.constant("zero", new long[] {0})));
    Graph graph = g.build();
    try (RandomWeights weights = weights(graph);
        Program program = new ReferenceEngine().compile(graph, weights, CompileOptions.DEFAULT)) {
      Map<String, Tensor> inputs = Map.of("ids", Tensor.of(new long[] {1, 5}, 2));
      assertThatThrownBy(() -> program.run(inputs, Set.of("y"), RunOptions.NONE))
          .isInstanceOf(EngineException.class)
          .hasMessage("/tokens (EMBEDDING): id 5 is outside 0 ... 4");
      assertThatThrownBy(() -> program.run(inputs, Set.of("half"), RunOptions.NONE))
          .isInstanceOf(EngineException.class)
          .hasMessage("/div (DIV): division of the integer 1 by zero");
    }
  }

  private static RandomWeights weights(Graph graph) {
    RandomWeights weights = new RandomWeights(1);
    graph.weights().forEach(w -> weights.expect(w.weight().name(), w.weight().stored()));
    return weights;
  }

  @Test
  void readsEveryTypeRowsAndTransposes() throws Exception {
    Path file = folder.resolve("weights.bin");
    ByteBuffer bytes = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
    DType[] types = {DType.F32, DType.F64, DType.F16, DType.BF16, DType.I64, DType.I32, DType.U8};
    List<StoredTensor> stored = new ArrayList<>();
    bytes.put((byte) 0); // Nothing is aligned.
    for (DType type : types) {
      int start = bytes.position();
      for (int i = 1; i <= 6; i++) {
        switch (type) {
          case F32 -> bytes.putFloat(i);
          case F64 -> bytes.putDouble(i);
          case F16 -> bytes.putShort(HalfFloats.toF16(i));
          case BF16 -> bytes.putShort(HalfFloats.toBf16(i));
          case I64 -> bytes.putLong(i);
          case I32 -> bytes.putInt(i);
          default -> bytes.put((byte) i);
        }
      }
      stored.add(
          new StoredTensor(
              type.name(), type, new long[] {3, 2}, file, start, bytes.position() - start));
    }
    Files.write(file, Arrays.copyOf(bytes.array(), bytes.position()));
    try (CheckpointWeights weights = CheckpointWeights.of("weights", stored)) {
      GraphBuilder g = new GraphBuilder("g", new WeightUsage(weights, "test"));
      for (DType type : types) {
        String name = type.name();
        g.output(name, g.weight(name, 3, 2));
        long[] shape = {3, 2};
        g.output(name + " rows", g.weightRows(name, shape, 1, 2));
        g.output(
            name + " turned", g.weight(new WeightRef(name, shape, 1, 2, true, new long[] {2, 2})));
        g.output(name + " flat", g.weight(new WeightRef(name, shape, 0, 3, false, new long[] {6})));
      }
      try (Program program =
          new ReferenceEngine().compile(g.build(), weights, CompileOptions.DEFAULT)) {
        Map<String, Tensor> found = program.run(Map.of());
        for (DType type : types) {
          String name = type.name();
          assertThat(found.get(name).toFloats()).as(name).containsExactly(1, 2, 3, 4, 5, 6);
          assertThat(found.get(name + " rows").toFloats()).as(name).containsExactly(3, 4, 5, 6);
          assertThat(found.get(name + " turned").toFloats()).as(name).containsExactly(3, 5, 4, 6);
          assertThat(found.get(name + " flat").shape()).as(name).containsExactly(6);
        }
      }
    }
  }

  @Test
  void halvesRoundToTheNearestEven() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = HalfFloats.fromF16((short) bits);
      if (!Float.isNaN(value)) {
        assertThat(HalfFloats.toF16(value)).isEqualTo((short) bits);
        assertThat(HalfFloats.toBf16(HalfFloats.fromBf16((short) bits))).isEqualTo((short) bits);
      }
    }
    assertThat(HalfFloats.toF16(1 + 0x1p-11f)).isEqualTo(HalfFloats.toF16(1));
    assertThat(HalfFloats.toF16(1 + 0x3p-11f)).isEqualTo(HalfFloats.toF16(1 + 0x1p-9f));
    assertThat(HalfFloats.toF16(65519)).isEqualTo(HalfFloats.toF16(65504));
    assertThat(HalfFloats.fromF16(HalfFloats.toF16(65520))).isInfinite();
    assertThat(HalfFloats.toF16(0x1p-25f)).isZero();
    assertThat(HalfFloats.fromF16(HalfFloats.toF16(0x1.8p-25f))).isEqualTo(0x1p-24f);
    assertThat(HalfFloats.toBf16(1 + 0x1p-8f)).isEqualTo(HalfFloats.toBf16(1));
    assertThat(HalfFloats.fromBf16(HalfFloats.toBf16(Float.NaN))).isNaN();
  }

  @Test
  void namesTheFirstNodeThatMadeANaN() {
    GraphBuilder g = builder();
    Value x = g.input("x", DType.F32, 2);
    Value hidden = g.where(g.binary(Op.LESS, x, g.scalar(0)), g.scalar(Float.NEGATIVE_INFINITY), x);
    g.output("fine", g.softmax(hidden, 0));
    g.output("bad", g.unary(Op.EXP, g.at("layers.3").unary(Op.LOG, x)));
    Graph graph = g.build();
    try (RandomWeights weights = new RandomWeights(1)) {
      assertThat(NonFinite.find(graph, weights, Map.of("x", Tensor.of(new float[] {1, 2}, 2))))
          .isEmpty();
      assertThat(NonFinite.find(graph, weights, Map.of("x", Tensor.of(new float[] {-1, 2}, 2))))
          .hasToString("Optional[/layers.3.log (LOG): 1 NaN and 0 infinite of 2 elements]");
      assertThat(
              NonFinite.find(graph, weights, Map.of("x", Tensor.of(new float[] {Float.NaN, 2}, 2))))
          .hasToString("Optional[x: 1 NaN and 0 infinite of 2 elements]");
    }
  }

  /**
   * Bisected where it is computed: other branches stand between a broken node and what it reads.
   */
  @Test
  void anEngineIsAskedWhereANaNBegins() {
    GraphBuilder g = builder();
    Value x = g.input("x", DType.F32, 2);
    Value broken = g.at("layers.1").unary(Op.LOG, x);
    Value fine = x;
    for (int i = 2; i < 9; i++) {
      fine = g.at("layers").at(i).unary(Op.TANH, fine);
    }
    g.output("bad", g.at("layers.9").unary(Op.EXP, g.add(fine, broken)));
    g.output("fine", fine);
    Graph graph = g.build();
    try (RandomWeights weights = new RandomWeights(1)) {
      List<Integer> sizes = new ArrayList<>();
      Function<Graph, Program> engine =
          part -> {
            Verifier.verify(part);
            sizes.add(part.nodes().size());
            return new ReferenceProgram(part, weights);
          };
      assertThat(NonFinite.find(graph, Map.of("x", Tensor.of(new float[] {1, 2}, 2)), engine))
          .isEmpty();
      sizes.clear();
      assertThat(NonFinite.find(graph, Map.of("x", Tensor.of(new float[] {-1, 2}, 2)), engine))
          .hasToString("Optional[/layers.1.log (LOG): 1 NaN and 0 infinite of 2 elements]");
      assertThat(sizes).hasSizeLessThan(8).contains(1).contains(10);
      sizes.clear();
      float[] given = {Float.POSITIVE_INFINITY, 2};
      assertThat(NonFinite.find(graph, Map.of("x", Tensor.of(given, 2)), engine))
          .hasToString("Optional[x: 0 NaN and 1 infinite of 2 elements]");
      assertThat(sizes).isEmpty();
    }
  }
}
