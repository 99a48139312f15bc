package dev.lmm.blip2.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Precision;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.decode.KvCache;
import dev.lmm.core.decode.StepInput;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each stage alone, whole tensors: the numbers of transformers within 1e-4. */
class GraphParityTest {
  private static final Path FOLDER = Path.of("src/test/resources/golden/blip2-opt");
  private static final Json GOLDEN = Json.parse(FOLDER.resolve("golden.json"));
  private static final int QUERIES = 6;

  @ParameterizedTest
  @ValueSource(strings = {"onnx", "reference"})
  void featuresAndLogitsEqualTheReference(String name) {
    Engine engine = Engines.choose(name, "auto", Precision.AUTO);
    Blip2Config config = Blip2Config.of(Json.parse(FOLDER.resolve("config.json")));
    try (CheckpointWeights weights = tensors("model.safetensors");
        CheckpointWeights golden = tensors("golden.safetensors")) {
      WeightUsage usage = new WeightUsage(weights, "config.json");
      CompileOptions options = CompileOptions.DEFAULT;
      try (Program vision =
              engine.compile(VisionGraph.of(config.vision(), usage), weights, options);
          Program qformer = engine.compile(QFormerGraph.of(config, usage), weights, options);
          Program language =
              engine.compile(OptModel.graph((OptConfig) config.text(), usage), weights, options)) {
        usage.requireAllRead(unread -> false);
        Tensor pixels = tensor(golden, "pixel_values");
        Tensor image = run(vision, "pixels", pixels, "image");
        close("image_embeds", image, tensor(golden, "image_embeds"));
        Tensor queries = run(qformer, "image", image, "queries");
        close("query_output", queries, tensor(golden, "query_output"));
        Tensor projected = run(qformer, "image", image, "projected");
        close("projected", projected, tensor(golden, "projected"));

        OptModel model = new OptModel(language, (OptConfig) config.text());
        Tensor rows = Tensor.of(projected.toFloats(), 3L * QUERIES, config.text().hiddenSize());
        List<Json> cases = GOLDEN.at("cases").elements();
        for (int i = 0; i < cases.size(); i++) {
          int[] ids = cases.get(i).at("ids").ints();
          Tensor expected = tensor(golden, "logits_" + i);
          int first = QUERIES * cases.get(i).intAt("picture");
          close("logits " + i, atOnce(model, ids, rows, first), expected);
          close("cached logits " + i, oneByOne(model, ids, rows, first), expected);
        }
      }
    }
  }

  private static Tensor atOnce(OptModel model, int[] ids, Tensor rows, int first) {
    try (KvCache cache = model.newCache(1, ids.length)) {
      StepInput.Slice seen = new StepInput.Slice(0, 0, QUERIES, rows, first);
      int[][] positions = {IntStream.range(0, ids.length).toArray()};
      return model.step(
          cache,
          new StepInput(1, ids.length, new int[1], ids, positions, List.of(seen), true),
          null);
    }
  }

  private static Tensor oneByOne(OptModel model, int[] ids, Tensor rows, int first) {
    try (KvCache cache = model.newCache(1, ids.length)) {
      Tensor logits = null;
      for (int i = 0; i < ids.length; i++) {
        List<StepInput.Slice> seen =
            i < QUERIES ? List.of(new StepInput.Slice(0, 0, 1, rows, first + i)) : List.of();
        StepInput input =
            new StepInput(1, 1, new int[] {i}, new int[] {ids[i]}, new int[][] {{i}}, seen, true);
        logits = model.step(cache, input, null);
      }
      return logits;
    }
  }

  private static Tensor run(Program program, String input, Tensor value, String output) {
    return program
        .run(Map.of(input, value), Set.of(output), RunOptions.cancelledBy(null))
        .get(output);
  }

  private static void close(String what, Tensor found, Tensor expected) {
    float[] a = found.toFloats();
    float[] b = expected.toFloats();
    assertThat(a).as(what).hasSameSizeAs(b);
    for (int i = 0; i < a.length; i++) {
      assertThat(Math.abs(a[i] - b[i]) <= 1e-4)
          .as("%s [%d]: found %s, expected %s", what, i, a[i], b[i])
          .isTrue();
    }
  }

  private static CheckpointWeights tensors(String file) {
    return CheckpointWeights.ofSafetensors(file, List.of(FOLDER.resolve(file)));
  }

  private static Tensor tensor(CheckpointWeights golden, String name) {
    ByteBuffer bytes = golden.map(name, 0, (int) golden.locate(name).length());
    long[] shape = golden.shape(name);
    Tensor tensor = Tensor.zeros(DType.F32, shape);
    tensor.floats().put(bytes.asFloatBuffer());
    return tensor;
  }
}
