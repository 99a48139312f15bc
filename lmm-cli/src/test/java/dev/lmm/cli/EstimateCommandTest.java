package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.DevicePlan;
import dev.lmm.EngineException;
import dev.lmm.Estimate;
import dev.lmm.EstimateOptions;
import dev.lmm.Generator;
import dev.lmm.InvalidRequestException;
import dev.lmm.LoadRequest;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Precision;
import dev.lmm.core.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code estimate}, and the sizes it tells for published models, of which only the configs are
 * here.
 */
class EstimateCommandTest {
  private static final Path PUBLISHED = Path.of("src/test/resources/published");
  private static final long GIB = 1L << 30;

  private static Json run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    String[] all = Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = "--json";
    try (PrintStream o = new PrintStream(out, true, StandardCharsets.UTF_8);
        PrintStream e = new PrintStream(err, true, StandardCharsets.UTF_8)) {
      assertThat(Main.run(o, e, all)).as("%s", err).isZero();
    }
    return Json.parse(out.toByteArray(), "the output");
  }

  private static Estimate published(String name, String device, Precision precision) {
    return Models.model(PUBLISHED.resolve(name).toString())
        .device(device)
        .precision(precision)
        .estimate();
  }

  private static Map<String, Long> parameters(Estimate estimate) {
    Map<String, Long> parameters = new TreeMap<>();
    estimate.parts().forEach(part -> parameters.put(part.name(), part.parameters()));
    return parameters;
  }

  @Test
  void qwenSevenBillion() {
    Estimate half = published("qwen2.5-vl-7b", "cuda:0", Precision.FP16);
    assertThat(half.parameters()).isEqualTo(8_292_166_656L);
    // metadata.total_size of the published model.safetensors.index.json.
    assertThat(half.parts().stream().mapToLong(Estimate.Part::weights).sum())
        .isEqualTo(16_584_333_312L);
    assertThat(half.fits(24 * GIB)).isTrue();
    assertThat(half.fits(16 * GIB)).isTrue();
    assertThat(half.fits(12 * GIB)).isFalse();
    Estimate four = published("qwen2.5-vl-7b", "cuda:0", Precision.INT4);
    assertThat(four.fits(8 * GIB)).isTrue();
    // Queries and keys of 28 layers, 4 heads of 128, 1024 entries, 2 bytes.
    assertThat(half.parts().get(1).cache()).isEqualTo(2L * 28 * 4 * 128 * 1024 * 2);
    assertThat(half.available()).isEqualTo(-1);
    assertThat(half.fits()).isFalse();
  }

  @Test
  void stableDiffusion() {
    assertThat(parameters(published("sd-1.5", "cpu", Precision.FP32)))
        .isEqualTo(
            Map.of(
                "text_encoder", 123_060_480L,
                "unet", 859_520_964L,
                "vae", 49_490_199L,
                "safety_checker", 303_966_208L));
    assertThat(parameters(published("sd-2.1", "cpu", Precision.FP32)))
        .isEqualTo(Map.of("text_encoder", 340_387_840L, "unet", 865_910_724L, "vae", 49_490_199L));
    assertThat(parameters(published("sdxl", "cpu", Precision.FP32)))
        .isEqualTo(
            Map.of(
                "text_encoder", 123_060_480L,
                "text_encoder_2", 694_659_840L,
                "unet", 2_567_463_684L,
                "vae", 49_490_199L));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-clip", "tiny-siglip2", "tiny-qwen2.5-vl"})
  void countsWhatALoadedModelHas(String id) {
    Map<String, Long> loaded = new TreeMap<>();
    try (Model model = Models.load(id)) {
      model.summary().parts().forEach(part -> loaded.put(part.name(), part.parameters()));
    }
    // Single numbers beside the towers.
    loaded.keySet().removeIf(part -> part.startsWith("logit_"));
    assertThat(parameters(Models.model(id).estimate())).isEqualTo(loaded);
  }

  @ParameterizedTest
  @CsvSource({
    "../lmm-clip/src/test/resources/golden/siglip2-naflex",
    "../lmm-blip2/src/test/resources/golden/blip2-opt",
    "../lmm-blip2/src/test/resources/golden/blip2-t5",
    "../lmm-blip2/src/test/resources/golden/blip2-itm",
    "../lmm-diffusion/src/test/resources/golden/sdxl"
  })
  void everyFamilyHasOne(String folder) {
    Estimate estimate = Models.model(folder).estimate();
    assertThat(estimate.parts())
        .allSatisfy(
            part -> {
              assertThat(part.weights()).isPositive();
              assertThat(part.activations()).isPositive();
            });
    assertThat(estimate.total())
        .isEqualTo(
            estimate.runtime()
                + estimate.parts().stream()
                    .mapToLong(part -> part.weights() + part.cache() + part.activations())
                    .sum());
    assertThat(estimate.fits()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"awq", "gptq"})
  void whatWasPublishedInFourBitsIsEstimatedInFour(String form, @TempDir Path folder)
      throws IOException {
    Path goldens = Path.of("../lmm-qwenvl/src/test/resources/golden");
    Files.copy(goldens.resolve("packed/" + form + "/config.json"), folder.resolve("config.json"));
    String pictures = "preprocessor_config.json";
    Files.copy(goldens.resolve("qwen5/" + pictures), folder.resolve(pictures));
    assertThat(Models.model(folder.toString()).estimate().info().precision())
        .isEqualTo(Precision.INT4);
  }

  @Test
  void largerRequestsTakeMore() {
    var small = new EstimateOptions(100, 280, 280, 1);
    Estimate first = Models.model("tiny-qwen2.5-vl").estimate(small);
    Estimate longer = Models.model("tiny-qwen2.5-vl").estimate(small.withTokens(200));
    Estimate wider = Models.model("tiny-qwen2.5-vl").estimate(small.withSize(560, 280));
    assertThat(longer.parts().get(1).cache()).isEqualTo(2 * first.parts().get(1).cache());
    assertThat(wider.parts().get(0).activations())
        .isGreaterThan(first.parts().get(0).activations() * 3 / 2);
    Estimate many = Models.model("tiny-clip").estimate(EstimateOptions.DEFAULT.withBatch(16));
    long one = Models.model("tiny-clip").estimate().parts().get(0).activations();
    assertThat(many.parts().get(0).activations()).isCloseTo(16 * one, within(one));
    // No more than the model can hold.
    assertThat(
            Models.model("tiny-qwen2.5-vl")
                .estimate(small.withTokens(Integer.MAX_VALUE))
                .parts()
                .get(1)
                .cache())
        .isLessThan(200_000_000);
  }

  @Test
  void printsOneDocument() {
    Json all = run("estimate", "tiny-clip");
    assertThat(all.stringAt("model")).isEqualTo("tiny-clip");
    assertThat(all.stringAt("precision")).isEqualTo("fp32");
    assertThat(all.at("fits").keys()).containsExactly("cpu");
    assertThat(all.at("parts").elements().get(0).keys())
        .contains("name", "weights", "cache", "activations");
    List<String> precisions =
        all.at("precisions").elements().stream().map(each -> each.stringAt("precision")).toList();
    assertThat(precisions).containsExactly("fp32", "bf16", "fp16", "int8", "int4");
    assertThat(all.at("precisions").elements().get(0).longAt("total"))
        .isEqualTo(all.longAt("total"));
    Json one = run("estimate", "tiny-clip", "--precision", "int8");
    assertThat(one.hasValue("precisions")).isFalse();
    assertThat(one.longAt("total")).isLessThan(all.longAt("total"));
  }

  @Test
  void aPlanNamesTheDeviceOfEachPartAndWhyThereIsNoCard() {
    DevicePlan plan = Models.model("tiny-sd").plan();
    assertThat(plan.parts()).extracting(DevicePlan.Part::name).contains("text_encoder", "unet");
    assertThat(plan.parts()).extracting(DevicePlan.Part::device).containsOnly("cpu");
    assertThat(plan.devices().get(0).free()).isPositive();
    assertThat(plan.note()).contains("onnxruntime_gpu");
    assertThat(Models.model("tiny-sd").estimate().parts())
        .extracting(Estimate.Part::weights)
        .allSatisfy(weights -> assertThat(weights).isPositive());
    assertThatThrownBy(() -> Models.model("tiny-sd").device("cuda:0").plan())
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("cuda:0 is not there")
        .hasMessageContaining("onnxruntime_gpu");
    assertThatThrownBy(() -> Models.model("tiny-sd").device("unet", "cuda:1").load())
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("cuda:1 is not there");
  }

  /** The denoiser is compiled when it is first needed: its name must be known before. */
  @Test
  void aPartThatIsLoadedLaterHasItsOwnPrecision() {
    byte[] whole = picture(Models.generator("tiny-sd"));
    byte[] few = picture(Models.generator("tiny-sd").precision("unet", Precision.INT8));
    assertThat(few).isNotEqualTo(whole);
    assertThatThrownBy(() -> Models.generator("tiny-sd").precision("tower", Precision.INT8).load())
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("tower")
        .hasMessageContaining("text_encoder, unet, vae");
  }

  private static byte[] picture(LoadRequest<Generator> request) {
    try (Generator generator = request.load()) {
      return generator.generate("a red circle").steps(2).seed(1).run().get(0).image().rgb();
    }
  }

  @Test
  void refusesWhatNoRequestCanBe() {
    assertThatThrownBy(() -> new EstimateOptions(0, 0, 0, 1))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("tokens: is 0");
    assertThatThrownBy(() -> Models.model("tiny-clip").device("tpu").estimate())
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("device: is tpu");
    assertThatThrownBy(() -> Models.model("tiny-clip").precision("ear", Precision.INT8).estimate())
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("the model has no such part; it has text, vision");
    assertThatThrownBy(
            () ->
                Models.model(PUBLISHED.resolve("sd-1.5").toString())
                    .estimate(EstimateOptions.DEFAULT.withSize(511, 512)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("511x512");
  }
}
