package dev.lmm.blip2.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Caption;
import dev.lmm.CaptionRequest;
import dev.lmm.Captioner;
import dev.lmm.Image;
import dev.lmm.LoadRequest;
import dev.lmm.Precision;
import dev.lmm.blip2.Blip2;
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
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The published widths of models that write, against {@code reference/fullsize_blip2.py}: each
 * stage relative to its largest number, greedy tokens, log-probabilities and beams. Not part of a
 * build (2 GB of weights); run by name, with {@code -Dlmm.full=FOLDER} and perhaps {@code
 * -Dlmm.engine=pytorch}.
 */
class FullWidthCheck {
  private static final Path FOLDER = Path.of(System.getProperty("lmm.full", ""));
  private static final String ENGINE = System.getProperty("lmm.engine", "onnx");
  private static final Path PICTURES = Path.of("../lmm-clip/src/test/resources/golden/pictures");

  private static Json golden() {
    return Json.parse(Path.of(FOLDER + "-golden.json"));
  }

  private static CheckpointWeights tensors() {
    return CheckpointWeights.ofSafetensors(
        "golden", List.of(Path.of(FOLDER + "-golden.safetensors")));
  }

  @Test
  void stagesEqualTheReference() throws IOException {
    Engine engine = Engines.choose(ENGINE, "auto", Precision.AUTO);
    Blip2Config config = Blip2Config.of(Json.parse(FOLDER.resolve("config.json")));
    List<Path> shards;
    try (Stream<Path> files = Files.list(FOLDER)) {
      shards = files.filter(f -> f.toString().endsWith(".safetensors")).sorted().toList();
    }
    try (CheckpointWeights weights = CheckpointWeights.ofSafetensors("full", shards);
        CheckpointWeights golden = tensors()) {
      WeightUsage usage = new WeightUsage(weights, "config.json");
      CompileOptions options = CompileOptions.DEFAULT;
      Tensor image;
      try (Program vision =
          engine.compile(VisionGraph.of(config.vision(), usage), weights, options)) {
        Tensor pixels = tensor(golden, "pixel_values");
        image = run(vision, Map.of("pixels", pixels), "image");
        close("image_embeds", image, tensor(golden, "image_embeds"));
      }
      Tensor projected;
      try (Program qformer = engine.compile(QFormerGraph.of(config, usage), weights, options)) {
        close(
            "query_output",
            run(qformer, Map.of("image", image), "queries"),
            tensor(golden, "query_output"));
        projected = run(qformer, Map.of("image", image), "projected");
        close("projected", projected, tensor(golden, "projected"));
      }
      int queries = config.numQueryTokens();
      Tensor rows = Tensor.of(projected.toFloats(), queries, config.text().hiddenSize());
      List<Json> cases = golden().at("cases").elements();
      if (config.text() instanceof T5Config t5) {
        try (Program encoder =
                engine.compile(T5Graphs.encoder(t5, queries, usage), weights, options);
            Program decoder =
                engine.compile(T5Graphs.decoder(t5, false, usage), weights, options)) {
          T5Language language = new T5Language(encoder, decoder, t5, 0);
          for (int i = 0; i < cases.size(); i++) {
            int[] ids = cases.get(i).at("ids").ints();
            Map<String, Tensor> source =
                encoder.run(
                    language.inputs(rows, Arrays.copyOfRange(ids, queries, ids.length)),
                    Set.of(),
                    RunOptions.NONE);
            close("encoded " + i, source.get("states"), tensor(golden, "encoded_" + i));
            close("logits " + i, first(language, source), tensor(golden, "logits_" + i));
          }
        }
      } else {
        OptConfig opt = (OptConfig) config.text();
        try (Program program = engine.compile(OptModel.graph(opt, usage), weights, options)) {
          OptModel model = new OptModel(program, opt);
          for (int i = 0; i < cases.size(); i++) {
            int[] ids = cases.get(i).at("ids").ints();
            close("logits " + i, last(model, ids, rows, queries), tensor(golden, "logits_" + i));
          }
        }
      }
    }
  }

  private static Tensor first(T5Language language, Map<String, Tensor> source) {
    Map<String, Tensor> looked = new HashMap<>(source);
    looked.remove("states");
    try (KvCache cache = language.model().newCache(1, 5)) {
      language.model().attend(cache, looked);
      StepInput input = new StepInput(1, 1, new int[1], new int[1], new int[1][1], List.of(), true);
      return language.model().step(cache, input, null);
    }
  }

  private static Tensor last(OptModel model, int[] ids, Tensor rows, int queries) {
    try (KvCache cache = model.newCache(1, ids.length)) {
      StepInput.Slice seen = new StepInput.Slice(0, 0, queries, rows, 0);
      int[][] positions = {IntStream.range(0, ids.length).toArray()};
      return model.step(
          cache,
          new StepInput(1, ids.length, new int[1], ids, positions, List.of(seen), true),
          null);
    }
  }

  @Test
  void answersEqualTheReference() {
    try (Captioner captioner = Blip2.from(FOLDER).engine(ENGINE).load()) {
      double most = 0;
      for (Json wanted : golden().at("cases").elements()) {
        CaptionRequest request = request(captioner, wanted);
        Caption greedy = request.run();
        assertThat(greedy.tokens()).isEqualTo(ints(wanted.at("greedy")));
        double[] expected = wanted.at("logprobs").doubles();
        for (int i = 0; i < expected.length; i++) {
          double found = greedy.logProbabilities().get(i);
          most = Math.max(most, Math.abs(found - expected[i]));
          assertThat(found).isCloseTo(expected[i], within(1e-3));
        }
        List<Caption> best = request.beams(5).best(3).runAll();
        List<Json> beams = wanted.at("beams").elements();
        assertThat(best).hasSameSizeAs(beams);
        for (int i = 0; i < beams.size(); i++) {
          assertThat(best.get(i).tokens()).isEqualTo(ints(beams.get(i).at("tokens")));
          assertThat(best.get(i).score()).isCloseTo(beams.get(i).doubleAt("score"), within(1e-3));
        }
      }
      told("log-probabilities: %.2g at most, greedy and beams equal", most);
    }
  }

  /** How far the language model in few bits is: a figure, and that it is not broken. */
  @Test
  void fewBitsAreMeasured() {
    for (Precision precision : List.of(Precision.INT8, Precision.INT4)) {
      LoadRequest<Captioner> load = Blip2.from(FOLDER).engine(ENGINE);
      boolean t5 = Files.exists(FOLDER.resolve("spiece.model"));
      for (String part : t5 ? List.of("encoder", "decoder") : List.of("language")) {
        load = load.precision(part, precision);
      }
      int same = 0;
      int all = 0;
      double sum = 0;
      double most = 0;
      try (Captioner captioner = load.load()) {
        for (Json wanted : golden().at("cases").elements()) {
          Caption found = request(captioner, wanted).run();
          List<Integer> tokens = ints(wanted.at("greedy"));
          double[] expected = wanted.at("logprobs").doubles();
          all += tokens.size();
          for (int i = 0; i < tokens.size() && i < found.tokens().size(); i++) {
            if (!found.tokens().get(i).equals(tokens.get(i))) {
              break;
            }
            double distance = Math.abs(found.logProbabilities().get(i) - expected[i]);
            sum += distance;
            most = Math.max(most, distance);
            same++;
          }
        }
      }
      told(
          "%s: %d of %d tokens before texts part; log-probabilities %.3f in the mean, %.3f at most",
          precision, same, all, sum / same, most);
      assertThat(same).isPositive();
      assertThat(sum / same).isLessThan(1);
    }
  }

  private static CaptionRequest request(Captioner captioner, Json wanted) {
    String picture = golden().at("pictures").elements().get(wanted.intAt("picture")).string();
    return captioner
        .caption(Image.read(PICTURES.resolve(picture)))
        .prompt(wanted.hasValue("prompt") ? wanted.stringAt("prompt") : "")
        .maxTokens(12);
  }

  private static List<Integer> ints(Json json) {
    return Arrays.stream(json.ints()).boxed().toList();
  }

  private static Tensor run(Program program, Map<String, Tensor> inputs, String output) {
    return program.run(inputs, Set.of(output), RunOptions.NONE).get(output);
  }

  private static void close(String what, Tensor found, Tensor expected) {
    float[] a = found.toFloats();
    float[] b = expected.toFloats();
    assertThat(a).as(what).hasSameSizeAs(b);
    double largest = 0;
    double most = 0;
    for (int i = 0; i < a.length; i++) {
      assertThat(a[i]).as("%s [%d]", what, i).isFinite();
      largest = Math.max(largest, Math.abs(b[i]));
      most = Math.max(most, Math.abs(a[i] - b[i]));
    }
    told("%s: %.2g of %.3g at most, relative %.2g", what, most, largest, most / largest);
    assertThat(most / largest).as(what).isLessThan(1e-3);
  }

  private static void told(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }

  private static Tensor tensor(CheckpointWeights golden, String name) {
    ByteBuffer bytes = golden.map(name, 0, (int) golden.locate(name).length());
    Tensor tensor = Tensor.zeros(DType.F32, golden.shape(name));
    tensor.floats().put(bytes.asFloatBuffer());
    return tensor;
  }
}
