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
import dev.lmm.core.graph.WeightSource;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** T5's encoder and decoder alone, whole tensors: the numbers of transformers within 1e-4. */
class T5ParityTest {
  private static final Path FOLDER = Path.of("src/test/resources/golden/blip2-t5");
  private static final Json GOLDEN = Json.parse(FOLDER.resolve("golden.json"));
  private static final int QUERIES = 6;

  @ParameterizedTest
  @ValueSource(strings = {"onnx", "reference"})
  void statesAndLogitsEqualTheReference(String engine) throws Exception {
    compare(engine, "logits_", config -> config, shards());
  }

  /** What the config leaves out, and a head that is the table. */
  @ParameterizedTest
  @ValueSource(strings = {"onnx", "reference"})
  void aConfigThatSaysLessIsReadAsTheReferenceDoes(String engine) throws Exception {
    compare(
        engine,
        "other_",
        config ->
            config
                .replace("\"dense_act_fn\": \"gelu\",", "")
                .replace("\"is_gated_act\": true,", "")
                .replace("\"tie_word_embeddings\": false,", ""),
        shards());
  }

  private static void compare(
      String name, String logits, UnaryOperator<String> edit, CheckpointWeights weights)
      throws Exception {
    Engine engine = Engines.choose(name, "auto", Precision.AUTO);
    String text = edit.apply(Files.readString(FOLDER.resolve("config.json")));
    Blip2Config config =
        Blip2Config.of(Json.parse(text.getBytes(StandardCharsets.UTF_8), "config.json"));
    T5Config t5 = (T5Config) config.text();
    boolean other = logits.equals("other_");
    try (weights;
        CheckpointWeights golden = tensors("golden.safetensors")) {
      WeightUsage usage =
          other
              ? new WeightUsage(withoutHead(weights), "config.json")
              : new WeightUsage(weights, "config.json");
      CompileOptions options = CompileOptions.DEFAULT;
      try (Program encoder =
              engine.compile(T5Graphs.encoder(t5, QUERIES, usage), weights, options);
          Program decoder = engine.compile(T5Graphs.decoder(t5, false, usage), weights, options)) {
        T5Language language = new T5Language(encoder, decoder, t5, 0);
        float[] projected = tensor(golden, "projected").toFloats();
        int each = projected.length / 3;
        List<Json> cases = GOLDEN.at("cases").elements();
        for (int i = 0; i < cases.size(); i++) {
          int[] ids = cases.get(i).at("ids").ints();
          int from = cases.get(i).intAt("picture") * each;
          Tensor rows =
              Tensor.of(Arrays.copyOfRange(projected, from, from + each), QUERIES, t5.hiddenSize());
          Map<String, Tensor> source =
              encoder.run(
                  language.inputs(rows, Arrays.copyOfRange(ids, QUERIES, ids.length)),
                  Set.of(),
                  RunOptions.NONE);
          if (!other) {
            close("encoded " + i, source.get("states"), tensor(golden, "encoded_" + i));
          }
          close(logits + i, first(language, source), tensor(golden, logits + i));
        }
      }
    }
  }

  private static WeightSource withoutHead(WeightSource whole) {
    return new WeightSource() {
      @Override
      public long @Nullable [] shape(String name) {
        return name.contains("lm_head") ? null : whole.shape(name);
      }

      @Override
      public Set<String> names() {
        return whole.names();
      }

      @Override
      public String description() {
        return whole.description();
      }
    };
  }

  /** The logits of the answer's first token. */
  private static Tensor first(T5Language language, Map<String, Tensor> source) {
    Map<String, Tensor> looked = new HashMap<>(source);
    looked.remove("states");
    try (KvCache cache = language.model().newCache(1, 5)) {
      language.model().attend(cache, looked);
      StepInput input = new StepInput(1, 1, new int[1], new int[1], new int[1][1], List.of(), true);
      return language.model().step(cache, input, null);
    }
  }

  @Test
  void bucketsEqualTheReference() {
    Json golden = GOLDEN.at("buckets");
    assertThat(golden.keys()).hasSize(8);
    for (String key : golden.keys()) {
      String[] parts = key.split(" ", -1);
      RelativeBuckets buckets =
          new RelativeBuckets(
              parts[0].equals("both"), Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
      int[] expected = golden.at(key).ints();
      for (int i = 0; i < expected.length; i++) {
        assertThat(buckets.of(i - 200)).as("%s of %d", key, i - 200).isEqualTo(expected[i]);
      }
    }
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

  private static CheckpointWeights shards() {
    return CheckpointWeights.ofSafetensors(
        "blip2-t5",
        List.of(
            FOLDER.resolve("model-00001-of-00002.safetensors"),
            FOLDER.resolve("model-00002-of-00002.safetensors")));
  }

  private static CheckpointWeights tensors(String file) {
    return CheckpointWeights.ofSafetensors(file, List.of(FOLDER.resolve(file)));
  }

  private static Tensor tensor(CheckpointWeights golden, String name) {
    ByteBuffer bytes = golden.map(name, 0, (int) golden.locate(name).length());
    Tensor tensor = Tensor.zeros(DType.F32, golden.shape(name));
    tensor.floats().put(bytes.asFloatBuffer());
    return tensor;
  }
}
