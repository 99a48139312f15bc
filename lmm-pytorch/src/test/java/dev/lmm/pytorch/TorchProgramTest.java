package dev.lmm.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.EngineException;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.checkpoint.RandomWeights;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.EngineStatus;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.ProgramState;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
class TorchProgramTest {
  private final PyTorchEngine engine = new PyTorchEngine();

  @TempDir Path folder;

  @Test
  void isThere() {
    EngineStatus status = engine.status();
    assertThat(status.available()).as(status.detail()).isTrue();
    assertThat(status.version()).isEqualTo("2.7.1");
    assertThat(status.devices()).containsExactly("cpu");
  }

  /** Any folder, any element type, and headers after which tensors are not aligned. */
  @ParameterizedTest
  @CsvSource({"F32,0", "F32,1", "F16,0", "F16,1", "BF16,0", "BF16,1", "F64,0"})
  void readsWeightsFromAnyFile(DType dtype, int shift) throws Exception {
    Path odd = Files.createDirectories(folder.resolve("내 모델 '\" \uD83D\uDE00\\n+%20"));
    Path file = odd.resolve("모델.safetensors");
    int bytes = 12 * dtype.bytes();
    StringBuilder header =
        new StringBuilder(
            "{\"w\":{\"dtype\":\""
                + dtype
                + "\",\"shape\":[3,4],\"data_offsets\":[0,"
                + bytes
                + "]}}");
    while (header.length() % 8 != shift) {
      header.append(' ');
    }
    ByteBuffer data =
        ByteBuffer.allocate(8 + header.length() + bytes).order(ByteOrder.LITTLE_ENDIAN);
    data.putLong(header.length()).put(header.toString().getBytes(StandardCharsets.US_ASCII));
    for (int i = 0; i < 12; i++) {
      // Small integers are exact in every type.
      int bits = Float.floatToIntBits(i);
      switch (dtype) {
        case F32 -> data.putFloat(i);
        case F64 -> data.putDouble(i);
        case BF16 -> data.putShort((short) (bits >>> 16));
        default ->
            data.putShort(
                (short) (i == 0 ? 0 : (((bits >>> 23) - 112) << 10) | ((bits >>> 13) & 0x3ff)));
      }
    }
    Files.write(file, data.array());
    try (CheckpointWeights weights = CheckpointWeights.ofSafetensors("test", List.of(file))) {
      GraphBuilder g = new GraphBuilder("test", new WeightUsage(weights, "the test"));
      Value x = g.input("x", DType.F32, "n", 4);
      g.output("all", g.linear(x, g.weight("w", 3, 4), null));
      g.output("part", g.linear(x, g.weightRows("w", new long[] {3, 4}, 1, 2), null));
      try (Program program = engine.compile(g.build(), weights, CompileOptions.DEFAULT)) {
        Map<String, Tensor> out =
            program.run(Map.of("x", Tensor.of(new float[] {1, 10, 100, 1000}, 1, 4)));
        assertThat(out.get("all").toFloats()).containsExactly(3210, 7654, 12098);
        assertThat(out.get("part").toFloats()).containsExactly(7654, 12098);
      }
    }
  }

  /** PyTorch's default optimiser makes one of two equal allocations; on every thread it is off. */
  @Test
  void equalBuffersStayTwoOnEveryThread() throws Exception {
    try (RandomWeights weights = new RandomWeights(1)) {
      GraphBuilder g = new GraphBuilder("test", new WeightUsage(weights, "the test"));
      Value a = g.state("a", DType.F32, 3);
      Value b = g.state("b", DType.F32, 3);
      Value x = g.input("x", DType.F32, 3);
      g.update(a, g.add(a, x));
      g.update(b, g.sub(b, x));
      g.output("sum", g.add(a, b));
      try (Program program = engine.compile(g.build(), weights, CompileOptions.DEFAULT)) {
        for (int thread = 0; thread < 3; thread++) {
          ProgramState state = program.newState(Map.of());
          Thread runner =
              new Thread(
                  () -> {
                    for (int i = 0; i < 4; i++) {
                      program.run(
                          Map.of("x", Tensor.of(new float[] {1, 2, 3}, 3)),
                          Set.of(),
                          new RunOptions(state, null));
                    }
                  });
          runner.start();
          runner.join();
          assertThat(state.tensor("a").toFloats()).containsExactly(4, 8, 12);
          assertThat(state.tensor("b").toFloats()).containsExactly(-4, -8, -12);
          state.close();
        }
      }
    }
  }

  @Test
  void takesEveryElementType() {
    try (RandomWeights weights = new RandomWeights(1)) {
      for (DType type :
          List.of(
              DType.F32,
              DType.F16,
              DType.BF16,
              DType.I64,
              DType.I32,
              DType.I8,
              DType.U8,
              DType.BOOL)) {
        GraphBuilder g = new GraphBuilder("test", new WeightUsage(weights, "the test"));
        Value x = g.input("x", type, "n");
        g.output("same", g.concat(0, x, x));
        g.output("float", g.cast(x, DType.F32));
        Tensor one = Tensor.zeros(type, 2);
        switch (type) {
          case F32 -> one.data().putFloat(4, 1);
          case F16 -> one.data().putShort(2, (short) 0x3c00);
          case BF16 -> one.data().putShort(2, (short) 0x3f80);
          default -> one.data().put(type.bytes(), (byte) 1);
        }
        try (Program program = engine.compile(g.build(), weights, CompileOptions.DEFAULT)) {
          Map<String, Tensor> out = program.run(Map.of("x", one));
          assertThat(out.get("float").toFloats()).as(type.name()).containsExactly(0, 1);
          ByteBuffer same = out.get("same").data();
          assertThat(same.slice(0, one.data().remaining())).isEqualTo(one.data());
        }
      }
    }
  }

  @Test
  void aDeadlineStopsARunInTheMiddle() {
    try (RandomWeights weights = new RandomWeights(1)) {
      GraphBuilder g = new GraphBuilder("slow", new WeightUsage(weights, "the test"));
      Value x = g.input("x", DType.F32, "n", 256);
      Value w = g.weight("w", 256, 256);
      for (int i = 0; i < 1000; i++) {
        x = g.linear(x, w, null);
      }
      g.output("y", x);
      try (Program program = engine.compile(g.build(), weights, CompileOptions.DEFAULT)) {
        RunOptions options = RunOptions.cancelledBy(Cancellation.after(Duration.ofMillis(50)));
        Map<String, Tensor> large = Map.of("x", Tensor.zeros(DType.F32, 8192, 256));
        assertThatThrownBy(() -> program.run(large, Set.of(), options))
            .isInstanceOf(CancelledException.class)
            .hasMessageContaining("50 ms");
        // The program is none the worse for it.
        assertThat(program.run(Map.of("x", Tensor.zeros(DType.F32, 1, 256))).get("y").toFloats())
            .containsOnly(0f);
      }
    }
  }

  @Test
  void refusesOtherDevices() {
    try (RandomWeights weights = new RandomWeights(1)) {
      GraphBuilder g = new GraphBuilder("test", new WeightUsage(weights, "the test"));
      g.output("y", g.linear(g.input("x", DType.F32, "n", 4), g.weight("w", 3, 4), null));
      Graph graph = g.build();
      assertThatThrownBy(
              () -> engine.compile(graph, weights, new CompileOptions("cuda:0", false, 0)))
          .isInstanceOf(EngineException.class)
          .hasMessage("engine pytorch does not compute on cuda:0; it computes on cpu");
    }
  }

  /** Native memory of the process stays flat over many calls and many loads. */
  @Test
  void leaksNothing() throws Exception {
    try (RandomWeights weights = new RandomWeights(1)) {
      GraphBuilder g = new GraphBuilder("test", new WeightUsage(weights, "the test"));
      g.output("y", g.linear(g.input("x", DType.F32, "n", 64), g.weight("w", 4096, 64), null));
      Graph graph = g.build();
      float[] ones = new float[64 * 64];
      Arrays.fill(ones, 1);
      // 1 MB a result; a leaked handle of each call would be 2 GB.
      Map<String, Tensor> inputs = Map.of("x", Tensor.of(ones, 64, 64));
      cycles(graph, weights, inputs, 10, 20);
      long before = resident();
      cycles(graph, weights, inputs, 40, 50);
      assertThat(resident() - before).isLessThan(400L << 20);
    }
  }

  private void cycles(
      Graph graph, RandomWeights weights, Map<String, Tensor> inputs, int loads, int calls) {
    for (int i = 0; i < loads; i++) {
      try (Program program = engine.compile(graph, weights, CompileOptions.DEFAULT)) {
        for (int j = 0; j < calls; j++) {
          program.run(inputs);
        }
      }
    }
    System.gc();
  }

  /** Resident bytes; where the system does not tell, those of the heap. */
  private static long resident() throws Exception {
    Path statm = Path.of("/proc/self/statm");
    if (!Files.exists(statm)) {
      return Runtime.getRuntime().totalMemory();
    }
    try (Scanner fields = new Scanner(statm, StandardCharsets.US_ASCII)) {
      fields.nextLong();
      return fields.nextLong() * 4096;
    }
  }
}
