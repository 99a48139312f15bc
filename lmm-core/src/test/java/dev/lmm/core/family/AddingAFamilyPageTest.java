package dev.lmm.core.family;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.EstimateOptions;
import dev.lmm.Inspection;
import dev.lmm.Model;
import dev.lmm.ModelInfo;
import dev.lmm.Precision;
import dev.lmm.Summary;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightSource;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import dev.lmm.spi.LoadOptions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/adding-a-family.md shows: the smallest family there can be. */
class AddingAFamilyPageTest {
  private static final Json CONFIG =
      Json.parse(
          "{\"model_type\":\"my_type\",\"hidden_size\":6,\"image_size\":32,\"projection_dim\":5}"
              .getBytes(StandardCharsets.UTF_8),
          "config.json");

  record VisionConfig(int hiddenSize, int imageSize, int projectionDim) {
    static VisionConfig of(Json config) {
      return new VisionConfig(
          config.intAt("hidden_size"),
          config.intAt("image_size", 224),
          config.intAt("projection_dim"));
    }
  }

  static Graph vision(VisionConfig config, WeightUsage weights) {
    GraphBuilder root = new GraphBuilder("family.vision", weights);
    GraphBuilder g = root.at("vision_model");
    int size = config.imageSize();
    int width = config.hiddenSize();
    Value pixels = g.input("pixels", DType.F32, "batch", 3, size, size);
    Value x =
        g.conv(pixels, g.weight("patch.weight", width, 3, 8, 8), null, 8, 0); // a patch is 8 x 8
    x = g.reduce(Op.REDUCE_MEAN, x, false, 2, 3); // [batch, width]
    x = g.layerNorm("norm", x, 1e-5); // reads vision_model.norm.weight and .bias
    root.output("embedding", root.linearNoBias("visual_projection", x, config.projectionDim()));
    return root.build(); // verified
  }

  @SuppressWarnings("ClassCanBeStatic") // as the page has it, a class of its own
  public final class MyFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
      return Set.of("my_type");
    }

    @Override
    public Model load(LoadContext context) {
      WeightUsage weights = new WeightUsage(context.weights(), "config.json");
      Graph graph = vision(VisionConfig.of(context.config()), weights);
      weights.requireAllRead(name -> name.endsWith("position_ids"));
      return new MyModel(context.info(), context.compile(graph));
    }

    @Override
    public List<Stage> stages(StageContext context) {
      VisionConfig config = VisionConfig.of(context.config());
      Graph graph = vision(config, new WeightUsage(context.weights(), "config.json"));
      return List.of(
          Stage.of(graph, context.weights(), Map.of("batch", (long) context.size().batch())));
    }
  }

  /** What a family gives back; its roles would stand here. */
  record MyModel(ModelInfo info, Program program) implements Model {
    @Override
    public Summary summary() {
      throw new UnsupportedOperationException("not on the page");
    }

    @Override
    public Inspection inspect() {
      throw new UnsupportedOperationException("not on the page");
    }

    @Override
    public void close() {
      program.close();
    }
  }

  @Test
  void loadsRunsAndIsEstimated(@TempDir Path folder) {
    MyFamily family = new MyFamily();
    ModelInfo info = new ModelInfo("mine", "my_type", "reference", "cpu", Precision.FP32, true);
    Placement placement = Placement.of(LoadOptions.DEFAULT.withEngine("reference"));
    try (CheckpointParts files = new CheckpointParts(OptionalLong.of(1), folder, "");
        Model model =
            family.load(new LoadContext(info, folder, CONFIG, files, placement, new TreeSet<>()))) {
      Map<String, Tensor> result =
          ((MyModel) model)
              .program()
              .run(Map.of("pixels", Tensor.of(new float[2 * 3 * 32 * 32], 2, 3, 32, 32)));
      assertThat(result.get("embedding").shape()).containsExactly(2, 5);
    }
    List<Stage> stages =
        family.stages(
            new StageContext(
                folder, CONFIG, EstimateOptions.DEFAULT, part -> WeightSource.anything()));
    assertThat(stages).hasSize(1);
    assertThat(stages.get(0).symbols()).containsEntry("batch", 1L);
  }
}
