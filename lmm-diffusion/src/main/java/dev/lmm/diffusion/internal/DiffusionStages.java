package dev.lmm.diffusion.internal;

import dev.lmm.Check;
import dev.lmm.core.family.Stage;
import dev.lmm.core.family.StageContext;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightSource;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a pipeline runs for one picture from text with guidance. */
final class DiffusionStages {
  private final StageContext context;
  private final List<Stage> stages = new ArrayList<>();

  private DiffusionStages(StageContext context) {
    this.context = context;
  }

  static List<Stage> of(StageContext context) {
    return new DiffusionStages(context).collect();
  }

  private List<Stage> collect() {
    boolean xl = context.config().stringAt("_class_name").startsWith("StableDiffusionXL");
    text("text_encoder", false);
    if (xl) {
      text("text_encoder_2", true);
    }
    Json unetJson = config("unet");
    Json vaeJson = config("vae");
    UnetConfig unet = UnetConfig.of(unetJson);
    Codec vae = Codec.of(vaeJson);
    int own = unet.sampleSize() * vae.scale();
    int height = context.height(own);
    int width = context.width(own);
    Check.that(
        height % vae.scale() == 0 && width % vae.scale() == 0,
        "size: is " + width + "x" + height + "; expected multiples of " + vae.scale());
    int h = height / vae.scale();
    int w = width / vae.scale();
    add(
        "unet",
        UnetGraph.of(unet, usage("unet", unetJson), h, w),
        Map.of("batch", 2L, "tokens", 77L));
    add("vae", vae.decoder(usage("vae", vaeJson), h, w), Map.of("batch", 1L));
    if (DiffusionModel.has(context.config(), "safety_checker")
        && Files.isRegularFile(file("safety_checker"))) {
      Json json = config("safety_checker");
      add(
          "safety_checker",
          SafetyGraph.of(SafetyConfig.of(json), usage("safety_checker", json)),
          Map.of("batch", 1L));
    }
    return stages;
  }

  private void text(String folder, boolean projected) {
    Json json = config(folder);
    TextEncoderConfig config = TextEncoderConfig.of(json, projected);
    Graph graph = TextEncoderGraph.of(config, folder, usage(folder, json), false);
    add(folder, graph, Map.of("batch", 2L, "tokens", 77L));
  }

  private void add(String part, Graph graph, Map<String, Long> symbols) {
    stages.add(new Stage(part, graph, weights(part), symbols));
  }

  private Json config(String folder) {
    return Json.parse(file(folder));
  }

  private Path file(String folder) {
    return context.folder().resolve(folder).resolve("config.json");
  }

  private WeightSource weights(String folder) {
    return context.weights(folder);
  }

  private WeightUsage usage(String folder, Json json) {
    return new WeightUsage(weights(folder), json.source());
  }
}
