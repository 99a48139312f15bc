package dev.lmm.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.CheckpointException;
import dev.lmm.ClosedException;
import dev.lmm.EngineException;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.checkpoint.RandomWeights;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.EngineStatus;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class OnnxProgramTest {
  private static final CompileOptions MAPPED = new CompileOptions("cpu", true, 0);

  // Above the size up to which weights are copied into the model.
  private static final int ROWS = 64;
  private static final int COLUMNS = 96;

  private final OnnxEngine engine = new OnnxEngine();

  @TempDir Path folder;

  @Test
  void isThere() {
    EngineStatus status = engine.status();
    assertThat(status.available()).as(status.detail()).isTrue();
    assertThat(status.version()).isEqualTo("1.28.0");
    assertThat(status.devices()).containsExactly("cpu");
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F16", "BF16"})
  void readsWeightsWhereTheyLie(DType dtype) throws IOException {
    Path file = folder.resolve("model.safetensors");
    TestCheckpoint.write(file, dtype, ROWS, COLUMNS);
    computes(file, CompileOptions.DEFAULT);
    computes(file, MAPPED);
  }

  @Test
  void readsWeightsFromAnyFolderAndThroughLinks() throws IOException {
    Path odd = Files.createDirectories(folder.resolve("내 모델 모음/a b+c%20"));
    Path file = odd.resolve("모델 (1).safetensors");
    TestCheckpoint.write(file, DType.F32, ROWS, COLUMNS);
    computes(file, CompileOptions.DEFAULT);
    computes(file, MAPPED);
    Path link = Files.createSymbolicLink(folder.resolve("link.safetensors"), file);
    computes(link, CompileOptions.DEFAULT);
    Path linkedFolder = Files.createSymbolicLink(folder.resolve("linked"), odd);
    computes(linkedFolder.resolve("모델 (1).safetensors"), MAPPED);
  }

  /** One linear layer, one lookup and one range of rows against sums done here. */
  private void computes(Path file, CompileOptions options) {
    try (CheckpointWeights weights = TestCheckpoint.open(file)) {
      GraphBuilder g = new GraphBuilder("test", new WeightUsage(weights, "the test"));
      Value x = g.input("x", DType.F32, "batch", COLUMNS);
      Value ids = g.input("ids", DType.I64, "n");
      Value w = g.weight("w", ROWS, COLUMNS);
      g.output("product", g.linear(x, w, null));
      g.output("rows", g.embedding(ids, w));
      g.output("part", g.linear(x, g.weightRows("w", new long[] {ROWS, COLUMNS}, 5, 40), null));
      float[] input = new float[COLUMNS];
      java.util.Arrays.fill(input, 0.5f);
      try (Program program = engine.compile(g.build(), weights, options)) {
        Map<String, Tensor> out =
            program.run(
                Map.of(
                    "x", Tensor.of(input, 1, COLUMNS),
                    "ids", Tensor.of(new long[] {7, 63}, 2)));
        float[] product = out.get("product").toFloats();
        float[] part = out.get("part").toFloats();
        float[] rows = out.get("rows").toFloats();
        for (int row = 0; row < ROWS; row++) {
          float sum = 0;
          for (int i = 0; i < COLUMNS; i++) {
            sum += 0.5f * TestCheckpoint.element(row * COLUMNS + i);
          }
          assertThat(product[row]).isEqualTo(sum);
          if (row >= 5 && row < 45) {
            assertThat(part[row - 5]).isEqualTo(sum);
          }
        }
        for (int i = 0; i < COLUMNS; i++) {
          assertThat(rows[i]).isEqualTo(TestCheckpoint.element(7 * COLUMNS + i));
          assertThat(rows[COLUMNS + i]).isEqualTo(TestCheckpoint.element(63 * COLUMNS + i));
        }
      }
    }
  }

  @Test
  void refusesWeightsThatWereCutOffAfterTheHeaderWasRead() throws IOException {
    Path file = folder.resolve("model.safetensors");
    TestCheckpoint.write(file, DType.F32, ROWS, COLUMNS);
    try (CheckpointWeights weights = TestCheckpoint.open(file)) {
      GraphBuilder g = new GraphBuilder("test", new WeightUsage(weights, "the test"));
      g.output(
          "y", g.linear(g.input("x", DType.F32, "n", COLUMNS), g.weight("w", ROWS, COLUMNS), null));
      Graph graph = g.build();
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(5000);
      }
      assertThatThrownBy(() -> engine.compile(graph, weights, CompileOptions.DEFAULT))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("model.safetensors");
      Files.delete(file);
      assertThatThrownBy(() -> engine.compile(graph, weights, CompileOptions.DEFAULT))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("model.safetensors");
    }
  }

  @Test
  void refusesDevicesItDoesNotHave() {
    try (RandomWeights weights = new RandomWeights(1)) {
      Graph graph = slow(weights, 1);
      assertThatThrownBy(
              () -> engine.compile(graph, weights, new CompileOptions("cuda:0", false, 0)))
          .isInstanceOf(EngineException.class)
          .hasMessageStartingWith("engine onnx does not compute on cuda:0; it computes on cpu: ")
          .hasMessageContaining("onnxruntime_gpu");
    }
  }

  @Test
  void namesTheNodeThatFails() {
    try (RandomWeights weights = new RandomWeights(1)) {
      GraphBuilder g = new GraphBuilder("test", new WeightUsage(weights, "the test"));
      g.output("y", g.at("tower").embedding("tokens", g.input("ids", DType.I64, "n"), 4, 3));
      try (Program program = engine.compile(g.build(), weights, CompileOptions.DEFAULT)) {
        Map<String, Tensor> wrong = Map.of("ids", Tensor.of(new long[] {4}, 1));
        assertThatThrownBy(() -> program.run(wrong))
            .isInstanceOf(EngineException.class)
            .hasMessageContaining("/tower.tokens");
        Map<String, Tensor> negative = Map.of("ids", Tensor.of(new long[] {-1}, 1));
        assertThatThrownBy(() -> program.run(negative)).isInstanceOf(EngineException.class);
      }
    }
  }

  @Test
  void aDeadlineStopsARunInTheMiddle() {
    try (RandomWeights weights = new RandomWeights(1);
        Program program = engine.compile(slow(weights, 1000), weights, CompileOptions.DEFAULT)) {
      RunOptions options = RunOptions.cancelledBy(Cancellation.after(Duration.ofMillis(50)));
      assertThatThrownBy(() -> program.run(slowInput(), Set.of(), options))
          .isInstanceOf(CancelledException.class)
          .hasMessageContaining("50 ms");
      // The program is none the worse for it.
      assertThat(program.run(Map.of("x", Tensor.zeros(DType.F32, 1, 256))).get("y").toFloats())
          .containsOnly(0f);
    }
  }

  @Test
  void closeWaitsForARunThatAnInterruptEnds() throws Exception {
    try (RandomWeights weights = new RandomWeights(1)) {
      Program program = engine.compile(slow(weights, 1000), weights, CompileOptions.DEFAULT);
      CompletableFuture<Void> ended = new CompletableFuture<>();
      Thread runner =
          new Thread(
              () -> {
                try {
                  program.run(slowInput());
                  ended.complete(null);
                } catch (RuntimeException e) {
                  ended.completeExceptionally(e);
                }
              });
      Thread closer = new Thread(program::close, "closer");
      runner.start();
      while (!isInNative(runner)) {
        Thread.onSpinWait();
      }
      closer.start();
      while (closer.getState() != Thread.State.WAITING) {
        assertThat(closer.getState()).isNotEqualTo(Thread.State.TERMINATED);
        Thread.onSpinWait();
      }
      runner.interrupt();
      closer.join();
      assertThatThrownBy(() -> ended.get(60, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(CancelledException.class);
      assertThatThrownBy(() -> program.run(slowInput())).isInstanceOf(ClosedException.class);
      program.close();
    }
  }

  @Test
  void anEmptyBatchGivesEmptyOutputs() {
    try (RandomWeights weights = new RandomWeights(1);
        Program program = engine.compile(slow(weights, 2), weights, CompileOptions.DEFAULT)) {
      Tensor y = program.run(Map.of("x", Tensor.zeros(DType.F32, 0, 256))).get("y");
      assertThat(y.shape()).containsExactly(0, 256);
    }
  }

  /** Whether the thread is inside ONNX Runtime's run. */
  private static boolean isInNative(Thread thread) {
    StackTraceElement[] stack = thread.getStackTrace();
    return stack.length > 0
        && stack[0].isNativeMethod()
        && stack[0].getClassName().equals("ai.onnxruntime.OrtSession");
  }

  /** Many products one after another: long, but with many places to stop at. */
  private static Graph slow(RandomWeights weights, int layers) {
    GraphBuilder g = new GraphBuilder("slow", new WeightUsage(weights, "the test"));
    Value x = g.input("x", DType.F32, "n", 256);
    Value w = g.weight("w", 256, 256);
    for (int i = 0; i < layers; i++) {
      x = g.linear(x, w, null);
    }
    g.output("y", x);
    return g.build();
  }

  private static Map<String, Tensor> slowInput() {
    return Map.of("x", Tensor.zeros(DType.F32, 16_384, 256));
  }
}
