package dev.lmm.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.EngineException;
import dev.lmm.Image;
import dev.lmm.Precision;
import dev.lmm.Probability;
import dev.lmm.Score;
import dev.lmm.clip.Clip;
import dev.lmm.core.checkpoint.RandomWeights;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.QuantizedTensor.Layout;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.reference.ReferenceEngine;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import dev.lmm.core.quantization.QuantizedCache;
import dev.lmm.core.quantization.QuantizedWeights;
import dev.lmm.core.quantization.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the contract does not see: kernels whose results are 16-bit numbers, and whole models. */
class PrecisionTest {
  private static final Path TINY = Path.of("../lmm-tiny");
  private static final int ROWS = 64;
  private static final int COLUMNS = 256;

  private final PyTorchEngine engine = new PyTorchEngine();

  @TempDir private Path folder;
  private String cache;

  @BeforeEach
  void keepTheCacheHere() {
    cache = System.getProperty("lmm.cache", "");
    System.setProperty("lmm.cache", folder.resolve("cache").toString());
  }

  @AfterEach
  void putTheCacheBack() {
    System.setProperty("lmm.cache", cache);
  }

  private static Graph layer(RandomWeights weights) {
    GraphBuilder g = new GraphBuilder("layer", new WeightUsage(weights, "the test"));
    g.output("y", g.linear("l", g.input("x", DType.F32, 3, COLUMNS), ROWS));
    return g.build();
  }

  /** Multiples of 1/64 that bfloat16, and 8 bits in any block, hold exactly. */
  private static Tensor input() {
    Tensor x = Tensor.zeros(DType.F32, 3, COLUMNS);
    for (int i = 0; i < 3 * COLUMNS; i++) {
      int code = i % 16 == 0 ? 127 : (i * 37 + i / 7 * 11) % 255 - 127;
      x.floats().put(i, code / 64f);
    }
    return x;
  }

  @ParameterizedTest
  @CsvSource({
    "32,false,false",
    "128,false,false",
    "32,true,true",
    "64,true,false",
    "256,true,true"
  })
  void packedBlocksOfFourBitsEqualTheInterpreter(int block, boolean zeros, boolean search) {
    try (RandomWeights random = new RandomWeights(7)) {
      Graph graph = layer(random);
      Map<WeightRef, Recipe> recipes =
          Map.of(
              WeightRef.whole("l.weight", ROWS, COLUMNS),
              new Recipe(Layout.BLOCKS, 4, block, zeros, search));
      CompileOptions four = new CompileOptions("cpu", false, 0, Precision.INT4);
      Map<String, Tensor> x = Map.of("x", input());
      try (QuantizedWeights weights =
              new QuantizedCache(folder.resolve("q")).open(random, recipes);
          Program expected = new ReferenceEngine().compile(graph, weights, four);
          Program whole = new ReferenceEngine().compile(graph, random, CompileOptions.DEFAULT);
          Program found = engine.compile(graph, weights, four)) {
        float[] answer = found.run(x).get("y").toFloats();
        assertNear(answer, expected.run(x).get("y").toFloats());
        assertThat(farthest(answer, whole.run(x).get("y").toFloats())).isGreaterThan(0.02);
      }
    }
  }

  @Test
  void bfloat16ProductsAreThoseOfRoundedNumbers() {
    try (RandomWeights random = new RandomWeights(8)) {
      Graph graph = layer(random);
      Map<String, Tensor> x = Map.of("x", input());
      try (Program expected = new ReferenceEngine().compile(graph, random, CompileOptions.DEFAULT);
          Program found =
              engine.compile(graph, random, new CompileOptions("cpu", false, 0, Precision.BF16))) {
        float[] answer = found.run(x).get("y").toFloats();
        assertNear(answer, expected.run(x).get("y").toFloats());
        for (float each : answer) {
          assertThat(Float.floatToIntBits(each) & 0xffff).as("%s in 16 bits", each).isZero();
        }
      }
    }
  }

  /** A result in bfloat16 has 8 binary digits; so have its weights or scales. */
  private static void assertNear(float[] found, float[] expected) {
    float largest = 0;
    for (float each : expected) {
      largest = Math.max(largest, Math.abs(each));
    }
    assertThat(farthest(found, expected)).isLessThan(largest / 128);
  }

  private static double farthest(float[] a, float[] b) {
    assertThat(a).hasSameSizeAs(b);
    double farthest = 0;
    for (int i = 0; i < a.length; i++) {
      double distance = Math.abs((double) a[i] - b[i]);
      assertThat(distance).isNotNaN();
      farthest = Math.max(farthest, distance);
    }
    return farthest;
  }

  /** A trained model says almost the same in every precision, and finds the same captions. */
  @ParameterizedTest
  @CsvSource({"BF16,0.9999", "INT8,0.999", "INT4,0.97"})
  void tinyClipKeepsItsAnswers(Precision precision, double nearness) {
    Path heldOut = TINY.resolve("src/test/resources/heldout");
    List<Json> scenes = Json.parse(heldOut.resolve("scenes.json")).at("scenes").elements();
    List<Image> pictures = new ArrayList<>();
    List<String> captions = new ArrayList<>();
    for (Json scene : scenes.subList(0, 12)) {
      pictures.add(Image.read(heldOut.resolve("pictures").resolve(scene.stringAt("picture"))));
      captions.add(scene.at("en").elements().get(scene.intAt("right")).string());
    }
    try (Encoder whole = tiny(Precision.FP32);
        Encoder few = tiny(precision)) {
      assertThat(few.info().engine()).isEqualTo("pytorch");
      assertThat(few.info().precision()).isEqualTo(precision);
      assertNear(whole.images(pictures).run(), few.images(pictures).run(), nearness);
      assertNear(whole.texts(captions).run(), few.texts(captions).run(), nearness);
      List<List<Score>> expected = whole.rank(pictures, captions, Probability.FAMILY);
      List<List<Score>> found = few.rank(pictures, captions, Probability.FAMILY);
      for (int i = 0; i < pictures.size(); i++) {
        assertThat(Score.best(found.get(i)).text()).isEqualTo(Score.best(expected.get(i)).text());
      }
    }
  }

  private static Encoder tiny(Precision precision) {
    return Clip.from(TINY.resolve("models/tiny-clip"))
        .engine("pytorch")
        .precision(precision)
        .precision("vision", precision)
        .load();
  }

  private static void assertNear(Embeddings expected, Embeddings found, double nearness) {
    for (int i = 0; i < expected.count(); i++) {
      assertThat(expected.cosine(i, found, i)).isBetween(nearness, 0.9999999);
    }
  }

  @Test
  void sixteenBitsOfTheOtherKindAreRefused() {
    assertThatThrownBy(
            () ->
                Clip.from(Path.of("../lmm-clip/src/test/resources/golden/clip-openai"))
                    .engine("pytorch")
                    .precision(Precision.FP16)
                    .load())
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("fp16")
        .hasMessageContaining("fp32, bf16, int8, int4");
  }
}
