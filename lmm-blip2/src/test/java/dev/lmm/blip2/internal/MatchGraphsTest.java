package dev.lmm.blip2.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What is computed once for a picture, and what for each batch of texts. */
class MatchGraphsTest {
  private static final Path FOLDER = Path.of("src/test/resources/golden/blip2-itm");

  @Test
  void keysAndValuesOfAPictureAreComputedOnce() {
    MatcherConfig config = MatcherConfig.of(Json.parse(FOLDER.resolve("config.json")));
    try (CheckpointWeights weights =
        CheckpointWeights.ofSafetensors("itm", List.of(FOLDER.resolve("model.safetensors")))) {
      String ofPictures = "qformer.encoder.layer.[02].crossattention.attention.(key|value).*";
      assertThat(read(MatchGraphs.sight(config, new WeightUsage(weights, "config.json"))))
          .hasSize(2 * 2 * 2)
          .allMatch(name -> name.matches(ofPictures));
      assertThat(read(MatchGraphs.pair(config, new WeightUsage(weights, "config.json"))))
          .anyMatch(name -> name.contains("crossattention.attention.query"))
          .noneMatch(name -> name.matches(ofPictures));
    }
  }

  private static List<String> read(Graph graph) {
    return graph.nodes().stream()
        .flatMap(node -> node.inputs().stream())
        .filter(Objects::nonNull)
        .filter(input -> input.kind() == Value.Kind.WEIGHT)
        .map(input -> input.weight().name())
        .distinct()
        .toList();
  }
}
