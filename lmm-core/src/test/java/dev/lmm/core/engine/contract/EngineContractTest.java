package dev.lmm.core.engine.contract;

import static dev.lmm.core.engine.contract.Closeness.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.ClosedException;
import dev.lmm.EngineException;
import dev.lmm.InvalidRequestException;
import dev.lmm.Precision;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.ProgramState;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.reference.ReferenceEngine;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.json.Json;
import dev.lmm.core.quantization.QuantizedCache;
import dev.lmm.core.quantization.QuantizedWeights;
import dev.lmm.core.quantization.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** What every engine must do. An engine's tests extend it. */
public abstract class EngineContractTest {
  private final Engine oracle = new ReferenceEngine();
  private OpGoldens goldens;

  /** The engine under test. */
  protected abstract Engine engine();

  /** How far from torch and the interpreter outputs may be. */
  protected double tolerance() {
    return 1e-5;
  }

  @BeforeEach
  void openGoldens(@TempDir Path folder) throws Exception {
    goldens = new OpGoldens(folder);
  }

  @AfterEach
  void closeGoldens() {
    goldens.close();
  }

  private Program compile(ContractCase c) {
    return engine().compile(c.graph(), c.weights(), CompileOptions.DEFAULT);
  }

  // Every operator.

  @TestFactory
  Stream<DynamicTest> agreesWithTorch() {
    return goldens.cases().stream()
        .filter(golden -> !golden.stringAt("op").equals("CACHED_ATTENTION"))
        .flatMap(golden -> Stream.of(torch(golden, false), torch(golden, true)));
  }

  private DynamicTest torch(Json golden, boolean asWeights) {
    String name = golden.stringAt("name") + (asWeights ? " with weights" : "");
    return DynamicTest.dynamicTest(
        name,
        () -> {
          Graph graph = goldens.graph(golden, asWeights);
          try (Program program =
              engine().compile(graph, goldens.weights(), CompileOptions.DEFAULT)) {
            assertClose(program.run(goldens.inputs(graph)), goldens.outputs(golden), tolerance());
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> agreesWithTheInterpreterOnOddShapes() {
    return againstTheOracle(ShapeCases.all());
  }

  @TestFactory
  Stream<DynamicTest> runsTheLayersOfFamiliesToCome() {
    return againstTheOracle(Skeletons.all());
  }

  private Stream<DynamicTest> againstTheOracle(Map<String, Consumer<ContractCase>> cases) {
    List<DynamicTest> tests = new ArrayList<>();
    cases.forEach(
        (name, body) ->
            ShapeCases.LENGTHS.forEach(
                lengths ->
                    tests.add(
                        DynamicTest.dynamicTest(
                            name + " " + new TreeMap<>(lengths),
                            () -> compare(name, lengths, body)))));
    return tests.stream();
  }

  private void compare(String name, Map<String, Long> lengths, Consumer<ContractCase> body) {
    try (ContractCase c = new ContractCase(name, lengths, body);
        Program expected = oracle.compile(c.graph(), c.weights(), CompileOptions.DEFAULT);
        Program found = compile(c)) {
      Map<String, Tensor> answers = expected.run(c.inputs());
      assertClose(found.run(c.inputs(), answers.keySet(), RunOptions.NONE), answers, tolerance());
    }
  }

  // Branches.

  /** A layer before each fusion, one read in two ranges of rows, convolutions with strides. */
  private static void adaptedLayers(ContractCase c) {
    GraphBuilder g = c.g();
    Value x = c.floats("x", "b", "s", 12);
    g.output("activated", g.unary(Op.GELU, g.linear("a", x, 7)));
    Value residual = g.add(x, g.linear("b", x, 12));
    g.output("normed", g.layerNorm("norm", residual, 1e-5));
    GraphBuilder split = g.at("split");
    long[] stored = {10, 12};
    Value first = split.linear(x, split.weightRows("weight", stored, 0, 4), null);
    Value second = split.linear(x, split.weightRows("weight", stored, 4, 6), null);
    g.output("ranges", g.concat(-1, second, first));
    Value attended =
        g.attention(g.linear("a", x, 7), g.linear("k", x, 7), g.linear("a", x, 7), 1, false, null);
    g.output("attended", attended);
    Value picture = c.floats("picture", "b", 5, 9, 6);
    GraphBuilder conv = g.at("conv");
    g.output(
        "picture",
        conv.conv(picture, conv.weight("weight", 8, 5, 3, 3), conv.weight("bias", 8), 2, 1));
  }

  @TestFactory
  Stream<DynamicTest> addsTheBranchesOfAdapters() {
    Map<String, Integer> ranks =
        Map.of("a.weight", 3, "b.weight", 1, "k.weight", 2, "split.weight", 4, "conv.weight", 2);
    return ShapeCases.LENGTHS.stream()
        .map(
            lengths ->
                DynamicTest.dynamicTest(
                    new TreeMap<>(lengths).toString(), () -> compareAdapted(lengths, ranks)));
  }

  private void compareAdapted(Map<String, Long> lengths, Map<String, Integer> ranks) {
    try (ContractCase plain =
            new ContractCase("adapted", lengths, EngineContractTest::adaptedLayers);
        ContractCase c =
            new ContractCase("adapted", lengths, ranks, EngineContractTest::adaptedLayers);
        Program without = oracle.compile(plain.graph(), plain.weights(), CompileOptions.DEFAULT);
        Program expected = oracle.compile(c.graph(), c.weights(), CompileOptions.DEFAULT);
        Program found = compile(c)) {
      Map<String, Tensor> answers = expected.run(c.inputs());
      assertClose(found.run(c.inputs(), answers.keySet(), RunOptions.NONE), answers, tolerance());
      Map<String, Tensor> bare = without.run(plain.inputs());
      answers.forEach(
          (name, answer) -> {
            if (answer.elements() > 0) {
              assertThat(answer.toFloats()).as(name).isNotEqualTo(bare.get(name).toFloats());
            }
          });
      // A second factor of zeros is no adapter at all.
      Map<String, Tensor> none = new LinkedHashMap<>(c.inputs());
      none.replaceAll(
          (name, tensor) ->
              name.endsWith(".lora_B") ? Tensor.zeros(DType.F32, tensor.shape()) : tensor);
      assertClose(found.run(none), bare, tolerance());
    }
  }

  // Few bits.

  /**
   * Layers whose lengths are no multiples of anything, with a bias, without, and behind an
   * activation's fusion; each reads the input itself.
   */
  private static void layers(ContractCase c) {
    GraphBuilder g = c.g();
    Value x = c.floats("x", "b", "s", 100);
    g.output("biased", g.at("first").linear("a", x, 67));
    g.output("plain", g.at("second").linearNoBias("b", x, 130));
    g.output("activated", g.unary(Op.GELU, g.at("third").linear("c", x, 33)));
    g.output("row", g.at("row").linear("d", g.slice(x, 1, 0, 1), 9));
  }

  /**
   * In how many bits the engine rounds activations of a layer with a scale for each output.
   *
   * @return 8, as the interpreter does, or fewer
   */
  protected int activationBits() {
    return 8;
  }

  /**
   * Makes the input one that 8 bits hold exactly, whatever the layout: multiples of 1/64 whose
   * largest, in every row and in every block, is the last code. Engines then round nothing, and
   * must agree to the sum's last digits. With fewer bits for all, the first and the last code.
   */
  private void fitIntoEightBits(Tensor x, QuantizedTensor.Layout layout) {
    var data = x.floats();
    if (layout == QuantizedTensor.Layout.COLUMNS && activationBits() < 8) {
      for (int i = 0; i < data.capacity(); i++) {
        data.put(i, i % 100 == 0 || data.get(i) > 0 ? 2 : 0);
      }
      return;
    }
    int lowest = layout == QuantizedTensor.Layout.COLUMNS ? -128 : -127;
    for (int i = 0; i < data.capacity(); i++) {
      int code = Math.max(-120, Math.min(120, Math.round(data.get(i) * 40)));
      int column = i % 100;
      if (column % 4 == 0) {
        code = column % 8 == 0 ? 127 : lowest;
      }
      data.put(i, code / 64f);
    }
  }

  @TestFactory
  Stream<DynamicTest> multipliesInFewBitsAsTheInterpreterDoes(@TempDir Path folder) {
    List<Recipe> recipes =
        List.of(
            Recipe.COLUMNS,
            Recipe.blocks(4, 32),
            Recipe.blocks(8, 32),
            Recipe.blocks(4, 128),
            new Recipe(QuantizedTensor.Layout.BLOCKS, 4, 32, true, true),
            new Recipe(QuantizedTensor.Layout.BLOCKS, 8, 128, true, false));
    List<DynamicTest> tests = new ArrayList<>();
    for (Recipe recipe : engine().precisions("cpu").contains(Precision.INT8) ? recipes : NONE) {
      for (Map<String, Long> lengths : ShapeCases.LENGTHS) {
        tests.add(
            DynamicTest.dynamicTest(
                recipe.id() + " " + new TreeMap<>(lengths),
                () -> compareFewBits(folder, recipe, lengths)));
      }
    }
    return tests.stream();
  }

  private static final List<Recipe> NONE = List.of();

  private void compareFewBits(Path folder, Recipe recipe, Map<String, Long> lengths) {
    try (ContractCase c = new ContractCase("few-bits", lengths, EngineContractTest::layers)) {
      Map<WeightRef, Recipe> recipes = new LinkedHashMap<>();
      for (Value weight : c.graph().weights()) {
        if (weight.rank() == 2) {
          recipes.put(weight.weight(), recipe);
        }
      }
      fitIntoEightBits(c.inputs().get("x"), recipe.layout());
      CompileOptions options = new CompileOptions("cpu", false, 0, Precision.INT8);
      try (QuantizedWeights weights =
              new QuantizedCache(folder.resolve("cache")).open(c.weights(), recipes);
          Program whole = oracle.compile(c.graph(), c.weights(), CompileOptions.DEFAULT);
          Program expected = oracle.compile(c.graph(), weights, options);
          Program found = engine().compile(c.graph(), weights, options)) {
        Map<String, Tensor> answers = expected.run(c.inputs());
        assertClose(found.run(c.inputs(), answers.keySet(), RunOptions.NONE), answers, 1e-5);
        // That the codes were used at all, and stand for the weights.
        Map<String, Tensor> exact = whole.run(c.inputs());
        for (String name : answers.keySet()) {
          if (exact.get(name).elements() > 0) {
            assertThat(exact.get(name).toFloats()).isNotEqualTo(answers.get(name).toFloats());
          }
        }
        assertClose(answers, exact, recipe.bits() == 4 ? 0.7 : 0.05);
      }
    }
  }

  @Test
  void aPrecisionItLacksIsRefused() {
    try (ContractCase c = small()) {
      for (Precision precision : Precision.values()) {
        if (precision == Precision.AUTO || engine().precisions("cpu").contains(precision)) {
          continue;
        }
        assertThatThrownBy(
                () ->
                    engine()
                        .compile(
                            c.graph(), c.weights(), new CompileOptions("cpu", false, 0, precision)))
            .isInstanceOf(EngineException.class)
            .hasMessageContaining("engine " + engine().name())
            .hasMessageContaining(precision.label())
            .hasMessageContaining("fp32");
      }
    }
  }

  // State.

  private static ContractCase decoder(String name, boolean cached, long b, long s) {
    return new ContractCase(
        name, Map.of("b", b, "s", s, "capacity", 9L), c -> Skeletons.decoder(c, cached));
  }

  /** Rows of a [batch, length, width] tensor. */
  private static Tensor part(Tensor x, int from, int to) {
    int b = (int) x.dim(0);
    int s = (int) x.dim(1);
    int w = (int) x.dim(2);
    float[] all = x.toFloats();
    float[] some = new float[b * (to - from) * w];
    for (int i = 0; i < b; i++) {
      System.arraycopy(all, (i * s + from) * w, some, i * (to - from) * w, (to - from) * w);
    }
    return Tensor.of(some, b, to - from, w);
  }

  @Test
  void aDecoderInStepsEqualsTheWholeTextAtOnce() {
    try (ContractCase whole = decoder("decoder", false, 2, 7);
        ContractCase steps = decoder("decoder", true, 2, 7);
        Program atOnce = oracle.compile(whole.graph(), whole.weights(), CompileOptions.DEFAULT);
        Program program = compile(steps);
        ProgramState state = program.newState(Map.of("b", 2L, "capacity", 9L));
        ProgramState other = program.newState(Map.of("b", 2L, "capacity", 9L))) {
      Tensor expected = atOnce.run(whole.inputs()).get("y");
      int done = 0;
      for (int length : new int[] {4, 1, 1, 1}) {
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        inputs.put("x", part(whole.inputs().get("x"), done, done + length));
        inputs.put("angles", part(whole.inputs().get("angles"), done, done + length));
        inputs.put("past", Tensor.of(new int[] {done, done}, 2));
        Tensor found = program.run(inputs, Set.of(), new RunOptions(state, null)).get("y");
        assertClose("step at " + done, found, part(expected, done, done + length), tolerance());
        done += length;
      }
      assertThat(other.tensor("keys").toFloats()).containsOnly(0f);
      assertThat(state.tensor("keys").shape()).containsExactly(2, 2, 9, 4);
    }
  }

  /** Entries from to below of a batch's rows, in another order. */
  private static Map<String, Tensor> step(ContractCase c, int[] rows, int from, int to) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    for (String name : List.of("x", "angles")) {
      Tensor all = part(c.inputs().get(name), from, to);
      int stretch = (int) (all.elements() / all.dim(0));
      float[] picked = new float[rows.length * stretch];
      for (int i = 0; i < rows.length; i++) {
        System.arraycopy(all.toFloats(), rows[i] * stretch, picked, i * stretch, stretch);
      }
      inputs.put(name, Tensor.of(picked, rows.length, to - from, all.dim(2)));
    }
    int[] past = new int[rows.length];
    Arrays.fill(past, from);
    inputs.put("past", Tensor.of(past, rows.length));
    return inputs;
  }

  @Test
  void rowsOfACacheChangePlacesAndMoveToAnother() {
    try (ContractCase c = decoder("decoder", true, 3, 7);
        Program program = compile(c);
        ProgramState state = program.newState(Map.of("b", 3L, "capacity", 9L));
        ProgramState single = program.newState(Map.of("b", 1L, "capacity", 7L));
        ProgramState right = program.newState(Map.of("b", 3L, "capacity", 9L))) {
      // Three rows share two entries, read in a state of one row, and go on apart.
      program.run(step(c, new int[] {1}, 0, 2), Set.of(), new RunOptions(single, null));
      for (String name : List.of("keys", "values")) {
        state.copyRows(name, single, new int[] {0, 0, 0}, new int[] {0, 1, 2}, 0, 2);
      }
      program.run(step(c, new int[] {0, 1, 2}, 2, 5), Set.of(), new RunOptions(state, null));
      // Then row 0 follows row 2, row 1 row 0, and row 2 itself: only what came after the prompt.
      int[] parents = {2, 0, 2};
      for (String name : List.of("keys", "values")) {
        state.copyRows(name, state, parents, new int[] {0, 1, 2}, 2, 5);
      }
      program.run(step(c, new int[] {1, 1, 1}, 0, 2), Set.of(), new RunOptions(right, null));
      program.run(step(c, parents, 2, 5), Set.of(), new RunOptions(right, null));
      Map<String, Tensor> next = step(c, new int[] {0, 1, 2}, 5, 7);
      Tensor expected = program.run(next, Set.of(), new RunOptions(right, null)).get("y");
      Tensor found = program.run(next, Set.of(), new RunOptions(state, null)).get("y");
      assertClose("after reordering", found, expected, tolerance());
      assertThatThrownBy(() -> state.copyRows("keys", single, new int[] {1}, new int[] {0}, 0, 1))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("rows [1]; there are 1");
      assertThatThrownBy(() -> state.copyRows("keys", single, new int[] {0}, new int[] {0}, 0, 8))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("entries 0 to 8 do not exist");
    }
  }

  private static ContractCase beams() {
    return new ContractCase(
        "beams",
        Map.of("b", 3L),
        c -> {
          GraphBuilder g = c.g();
          Value kept = g.state("kept", DType.F32, "b", 2);
          Value moved = g.gather(kept, c.longs("order", 3, "b"), 0);
          Value next = g.add(moved, c.floats("x", "b", 2));
          g.update(kept, next);
          g.output("before", kept);
          g.output("after", next);
        });
  }

  @Test
  void aStateIsReorderedForBeamsAndKeptBetweenRuns() {
    try (ContractCase c = beams();
        Program program = compile(c);
        ProgramState state = program.newState(Map.of("b", 3L))) {
      run(program, state, new long[] {0, 1, 2}, new float[] {1, 2, 3, 4, 5, 6});
      Map<String, Tensor> second =
          run(program, state, new long[] {2, 2, 0}, new float[] {0, 0, 10, 10, 20, 20});
      assertThat(second.get("before").toFloats()).containsExactly(1, 2, 3, 4, 5, 6);
      assertThat(second.get("after").toFloats()).containsExactly(5, 6, 15, 16, 21, 22);
      assertThat(state.tensor("kept").toFloats()).containsExactly(5, 6, 15, 16, 21, 22);
    }
  }

  private static Map<String, Tensor> run(
      Program program, ProgramState state, long[] order, float[] x) {
    return program.run(
        Map.of("order", Tensor.of(order, 3), "x", Tensor.of(x, 3, 2)),
        Set.of(),
        new RunOptions(state, null));
  }

  @Test
  void statesThatDoNotFitAreRefused() {
    try (ContractCase c = beams();
        Program program = compile(c);
        Program twin = compile(c);
        ProgramState state = program.newState(Map.of("b", 3L));
        ProgramState foreign = twin.newState(Map.of("b", 3L));
        ProgramState small = program.newState(Map.of("b", 2L))) {
      for (ProgramState wrong : new ProgramState[] {null, foreign, small}) {
        assertThatThrownBy(() -> run(program, wrong, new long[3], new float[6]))
            .isInstanceOf(InvalidRequestException.class);
      }
      assertThatThrownBy(() -> program.newState(Map.of()))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("the length of b");
      assertThatThrownBy(() -> state.tensor("other"))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("other")
          .hasMessageContaining("kept");
    }
  }

  @Test
  void aClosedStateIsRefused() {
    try (ContractCase c = beams();
        Program program = compile(c)) {
      ProgramState state = program.newState(Map.of("b", 3L));
      state.close();
      state.close();
      assertThatThrownBy(() -> run(program, state, new long[3], new float[6]))
          .isInstanceOf(ClosedException.class);
      assertThatThrownBy(() -> state.tensor("kept")).isInstanceOf(ClosedException.class);
    }
  }

  // Runs.

  private static ContractCase small() {
    return new ContractCase(
        "small",
        Map.of("b", 2L, "s", 3L),
        c -> {
          GraphBuilder g = c.g();
          Value x = g.embedding("table", c.longs("ids", 11, "b", "s"), 11, 6);
          g.output("embedded", x);
          g.output("projected", g.linear("projection", x, 4));
        });
  }

  @Test
  void checksInputs() {
    try (ContractCase c = small();
        Program program = compile(c)) {
      Map<String, Tensor> none = Map.of();
      assertThatThrownBy(() -> program.run(none))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("input ids: expected I64[b, s], is missing");
      Map<String, Tensor> flat = Map.of("ids", Tensor.zeros(DType.I64, 6));
      assertThatThrownBy(() -> program.run(flat))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("input ids: expected I64[b, s], found I64[6]");
      Map<String, Tensor> narrow = Map.of("ids", Tensor.zeros(DType.I32, 2, 3));
      assertThatThrownBy(() -> program.run(narrow))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("found I32[2, 3]");
      assertThatThrownBy(() -> program.run(c.inputs(), Set.of("other"), RunOptions.NONE))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("has no output other; expected [embedded, projected]");
    }
  }

  @Test
  void givesOnlyTheOutputsAskedFor() {
    try (ContractCase c = small();
        Program program = compile(c)) {
      assertThat(program.run(c.inputs(), Set.of("embedded"), RunOptions.NONE))
          .containsOnlyKeys("embedded");
      assertThat(program.run(c.inputs())).containsOnlyKeys("embedded", "projected");
    }
  }

  @Test
  void anIndexOutsideItsAxisIsAnError() {
    try (ContractCase c = small();
        Program program = compile(c)) {
      for (long wrong : new long[] {11, -12, Long.MAX_VALUE}) {
        Map<String, Tensor> inputs = Map.of("ids", Tensor.of(new long[] {0, wrong}, 1, 2));
        assertThatThrownBy(() -> program.run(inputs))
            .isInstanceOf(EngineException.class)
            .hasMessageContaining("/table");
      }
      assertThat(program.run(c.inputs())).hasSize(2);
    }
  }

  @Test
  void runsOverlap() {
    try (ContractCase c = small();
        Program program = compile(c)) {
      Map<String, Tensor> expected = program.run(c.inputs());
      List<CompletableFuture<Map<String, Tensor>>> runs = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        runs.add(CompletableFuture.supplyAsync(() -> program.run(c.inputs())));
      }
      runs.forEach(run -> assertClose(run.join(), expected, 0));
    }
  }

  @Test
  void stopsWhenCancelledOrInterrupted() {
    try (ContractCase c = small();
        Program program = compile(c)) {
      Cancellation cancellation = new Cancellation();
      cancellation.cancel();
      assertThatThrownBy(
              () -> program.run(c.inputs(), Set.of(), RunOptions.cancelledBy(cancellation)))
          .isInstanceOf(CancelledException.class)
          .hasMessage("The run was stopped: cancelled by the caller");
      Thread.currentThread().interrupt();
      try {
        assertThatThrownBy(() -> program.run(c.inputs())).isInstanceOf(CancelledException.class);
      } finally {
        assertThat(Thread.interrupted()).as("the interrupt stays pending").isTrue();
      }
      assertThat(program.run(c.inputs())).hasSize(2);
    }
  }

  @Test
  void refusesUseAfterClose() {
    try (ContractCase c = small()) {
      Program program = compile(c);
      program.close();
      program.close();
      assertThatThrownBy(() -> program.run(c.inputs())).isInstanceOf(ClosedException.class);
      assertThatThrownBy(() -> program.newState(Map.of())).isInstanceOf(ClosedException.class);
      assertThat(program.graph()).isSameAs(c.graph());
    }
  }
}
