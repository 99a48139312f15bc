package dev.lmm.core.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.decode.contract.DecodingContractTest;
import dev.lmm.core.decode.contract.TinyQwen;
import dev.lmm.core.engine.reference.ReferenceEngine;
import dev.lmm.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What transformers' generation does with the same scores, and with the same model. */
class DecodingGoldenTest {
  private static final float MISSING = -3e38f;
  private static final Path FOLDER = Path.of("src/test/resources/golden/decoding");
  private final TinyQwen model =
      new TinyQwen(new ReferenceEngine(), FOLDER.resolve("model.safetensors"));

  @AfterEach
  void close() {
    model.close();
  }

  private static float[] tensor(CheckpointWeights weights, String name, int elements) {
    float[] values = new float[elements];
    ByteBuffer bytes = weights.map(name, 0, 4 * elements).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().get(values);
    return values;
  }

  @Test
  void scoresAreProcessedAsByTransformers() {
    Json golden = Json.parse(FOLDER.resolve("scores.json"));
    int[] end = golden.at("end").ints();
    int compared = 0;
    try (CheckpointWeights tensors =
        CheckpointWeights.ofSafetensors("scores", List.of(FOLDER.resolve("scores.safetensors")))) {
      for (Json each : golden.at("cases").elements()) {
        String name = each.stringAt("name");
        float[] logits = tensor(tensors, name + ".logits", 3 * 97);
        float[] expected = tensor(tensors, name + ".scores", 3 * 97);
        GenerationOptions options = DecodingContractTest.options(each.at("options"));
        for (int row = 0; row < 3; row++) {
          int[] history = each.at("history").elements().get(row).ints();
          int prompt = each.intAt("prompt");
          float[] scores = Arrays.copyOfRange(logits, row * 97, row * 97 + 97);
          Processors processors =
              new Processors(options, Prompt.of(Arrays.copyOf(history, prompt)), end, 100);
          for (int i = prompt; i < history.length; i++) {
            processors.accept(history[i]);
          }
          processors.process(scores);
          if (options.sample()) {
            new Sampler(options, 0).warp(scores);
          }
          for (int id = 0; id < 97; id++) {
            float wanted = expected[row * 97 + id];
            String place = name + " row " + row + " token " + id;
            if (wanted == MISSING) {
              assertThat(scores[id]).as(place).isEqualTo(Float.NEGATIVE_INFINITY);
            } else {
              assertThat(scores[id]).as(place).isCloseTo(wanted, within(Math.ulp(wanted)));
            }
          }
          compared++;
        }
      }
    }
    assertThat(compared).isEqualTo(60);
  }

  @Test
  void drawsComeFromTheScoresTransformersDrawsFrom() {
    Json golden = Json.parse(FOLDER.resolve("answers.json"));
    int[] end = golden.at("end").ints();
    for (Json each : golden.at("drawn").elements()) {
      GenerationOptions options =
          DecodingContractTest.options(each.at("options")).sample(true).maxTokens(16);
      Prompt prompt = Prompt.of(each.at("prompt").ints());
      int[] ids = each.at("ids").ints();
      Processors processors = new Processors(options, prompt, end, 16);
      try (KvCache cache = model.newCache(1, 64)) {
        float[] logits = Steps.prefill(model, cache, prompt, 0, options, to -> {});
        for (int step = 0; step < ids.length; step++) {
          Json wanted = each.at("steps").elements().get(step);
          processors.process(logits);
          new Sampler(options, 0).warp(logits);
          List<Integer> kept = new ArrayList<>();
          double[] scores = wanted.at("scores").doubles();
          for (int id = 0; id < logits.length; id++) {
            if (logits[id] > Float.NEGATIVE_INFINITY) {
              assertThat((double) logits[id]).isCloseTo(scores[kept.size()], within(1e-4));
              kept.add(id);
            }
          }
          assertThat(kept.stream().mapToInt(i -> i).toArray()).isEqualTo(wanted.at("kept").ints());
          processors.accept(ids[step]);
          int past = prompt.length() + step;
          logits =
              Steps.row(
                  model,
                  Steps.next(
                      model,
                      cache,
                      new int[] {past},
                      new int[] {ids[step]},
                      new int[] {past},
                      1,
                      null),
                  1,
                  0);
        }
      }
    }
  }

  @Test
  void drawsFollowTheProbabilities() {
    float[] logits = {0, (float) Math.log(2), Float.NEGATIVE_INFINITY, (float) Math.log(5)};
    int[] counts = new int[4];
    Sampler sampler = new Sampler(GenerationOptions.GREEDY.sample(true), 3);
    for (int i = 0; i < 80_000; i++) {
      counts[sampler.choose(logits.clone())]++;
    }
    assertThat(counts[0]).isBetween(9_500, 10_500);
    assertThat(counts[1]).isBetween(19_300, 20_700);
    assertThat(counts[2]).isZero();
    assertThat(counts[3]).isBetween(49_200, 50_800);
  }
}
