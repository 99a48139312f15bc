package dev.lmm.diffusion.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.GenerateRequest;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every engine must give: tiny pipelines in the published layouts, equal to diffusers;
 * reference/diffusion_goldens.py and autoencoder_goldens.py.
 */
public abstract class DiffusionParity {
  private static final Path GOLDEN = Goldens.FOLDER;

  private final String engine;

  protected DiffusionParity(String engine) {
    this.engine = engine;
  }

  private Map<String, Tensor> run(
      Graph graph, CheckpointWeights weights, Map<String, Tensor> inputs) {
    try (Program program = Engines.choose(engine).compile(graph, weights, CompileOptions.DEFAULT)) {
      return program.run(inputs);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sd21", "sdxl"})
  void textEncodersEqual(String pipeline) {
    try (CheckpointWeights golden = Goldens.open(pipeline)) {
      for (String part :
          pipeline.equals("sdxl")
              ? List.of("text_encoder", "text_encoder_2")
              : List.of("text_encoder")) {
        Path folder = GOLDEN.resolve(pipeline).resolve(part);
        boolean projected = part.endsWith("_2");
        TextEncoderConfig config =
            TextEncoderConfig.of(Json.parse(folder.resolve("config.json")), projected);
        try (CheckpointWeights weights = CheckpointFiles.open(folder)) {
          Graph graph =
              TextEncoderGraph.of(config, part, new WeightUsage(weights, "config"), false);
          Tensor ids = Goldens.tensor(golden, part + ".ids");
          Map<String, Tensor> inputs = new HashMap<>(Map.of("ids", ids));
          if (projected) {
            Tensor end = Tensor.zeros(DType.I64, ids.dim(0));
            for (int row = 0; row < ids.dim(0); row++) {
              long at = row * 77L;
              for (int i = 0; i < 77; i++) {
                at = ids.longs().get(row * 77 + i) > ids.longs().get((int) at) ? row * 77L + i : at;
              }
              end.longs().put(row, at);
            }
            inputs.put("end", end);
          }
          Map<String, Tensor> out = run(graph, weights, inputs);
          Goldens.close(
              out.get("normed.3"), Goldens.tensor(golden, part + ".last"), part + " last");
          Goldens.close(
              out.get("hidden.2"), Goldens.tensor(golden, part + ".hidden_2"), part + " hidden");
          if (projected) {
            Goldens.close(
                out.get("pooled"), Goldens.tensor(golden, part + ".pooled"), part + " pooled");
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sd21", "sdxl", "inpaint", "sdxl-inpaint"})
  void unetsEqual(String pipeline) {
    Path folder = GOLDEN.resolve(pipeline).resolve("unet");
    UnetConfig config = UnetConfig.of(Json.parse(folder.resolve("config.json")));
    try (CheckpointWeights golden = Goldens.open(pipeline);
        CheckpointWeights weights = CheckpointFiles.open(folder)) {
      for (int k = 0; k < 3; k++) {
        String at = "unet." + k + ".";
        Tensor sample = Goldens.tensor(golden, at + "sample");
        Graph graph =
            UnetGraph.of(
                config,
                new WeightUsage(weights, "config"),
                (int) sample.dim(2),
                (int) sample.dim(3));
        int width = config.channels().get(0);
        double time = Goldens.tensor(golden, at + "time").toFloats()[0];
        Map<String, Tensor> inputs = new HashMap<>();
        inputs.put("sample", sample);
        inputs.put("context", Goldens.tensor(golden, at + "context"));
        inputs.put("time", Tensor.of(Unet.waves(config, time, width), 1, width));
        if (pipeline.startsWith("sdxl")) {
          inputs.put("added", added(config, golden, at));
        }
        Goldens.close(
            run(graph, weights, inputs).get("noise"),
            Goldens.tensor(golden, at + "noise"),
            pipeline + " unet " + k);
      }
    }
  }

  static Tensor added(UnetConfig config, CheckpointWeights golden, String at) {
    float[] text = Goldens.tensor(golden, at + "text_embeds").toFloats();
    float[] ids = Goldens.tensor(golden, at + "time_ids").toFloats();
    int projection = text.length / 2;
    int width = projection + 6 * config.addedTime();
    float[] added = new float[2 * width];
    for (int row = 0; row < 2; row++) {
      System.arraycopy(text, row * projection, added, row * width, projection);
      for (int i = 0; i < 6; i++) {
        float[] waves = Unet.waves(config, ids[row * 6 + i], config.addedTime());
        System.arraycopy(
            waves, 0, added, row * width + projection + i * waves.length, waves.length);
      }
    }
    return Tensor.of(added, 2, width);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sd21", "sdxl"})
  void autoencodersEqual(String pipeline) {
    Path folder = GOLDEN.resolve(pipeline).resolve("vae");
    VaeConfig config = VaeConfig.of(Json.parse(folder.resolve("config.json")));
    try (CheckpointWeights golden = Goldens.open(pipeline);
        CheckpointWeights weights = CheckpointFiles.open(folder)) {
      WeightUsage usage = new WeightUsage(weights, "config");
      Tensor latents = Goldens.tensor(golden, "vae.latents");
      Goldens.close(
          run(VaeGraphs.decoder(config, usage, 5, 7), weights, Map.of("latents", latents))
              .get("picture"),
          Goldens.tensor(golden, "vae.picture"),
          "picture");
      Tensor planes = Goldens.tensor(golden, "vae.planes");
      Goldens.close(
          run(VaeGraphs.encoder(config, usage, 56, 40), weights, Map.of("picture", planes))
              .get("moments"),
          Goldens.tensor(golden, "vae.moments"),
          "moments");
      usage.requireAllRead(name -> false);
    }
  }

  @Test
  void tinyAutoencodersEqual() {
    Path tiny = GOLDEN.resolve("autoencoders").resolve("tiny");
    Codec codec = Codec.of(Json.parse(tiny.resolve("config.json")));
    try (CheckpointWeights golden = Goldens.open("autoencoders");
        CheckpointWeights weights = CheckpointFiles.open(tiny)) {
      WeightUsage usage = new WeightUsage(weights, "config");
      Tensor latents = Goldens.tensor(golden, "tiny.latents");
      Goldens.close(
          run(codec.decoder(usage, 5, 7), weights, Map.of("latents", latents)).get("picture"),
          Goldens.tensor(golden, "tiny.picture"),
          "picture");
      Tensor planes = Goldens.tensor(golden, "tiny.planes");
      Goldens.close(
          run(codec.encoder(usage, 56, 40), weights, Map.of("picture", planes)).get("encoded"),
          Goldens.tensor(golden, "tiny.encoded"),
          "encoded");
      usage.requireAllRead(name -> false);
    }
  }

  /**
   * The golden pictures of a pipeline that differ by more than a level.
   *
   * @param every 1 for all, 4 for every fourth
   */
  protected final List<String> wrongPictures(String pipeline, int every) {
    Path folder = GOLDEN.resolve(pipeline);
    List<String> wrong = new ArrayList<>();
    try (CheckpointWeights golden = Goldens.open(pipeline);
        Generator generator = Models.generator(folder).engine(engine).load()) {
      int i = 0;
      for (Json one : Json.parse(folder.resolve("golden.json")).at("cases").elements()) {
        if (i % every == 0) {
          Image made = request(generator, one, folder).run().get(0).image();
          int worst = Goldens.levels(made, golden, "picture." + i);
          if (worst > 1) {
            wrong.add(i + " differs by " + worst + ": " + one.raw());
          }
        }
        i++;
      }
      assertThat(i).isGreaterThan(4);
    }
    return wrong;
  }

  static GenerateRequest request(Generator generator, Json one, Path folder) {
    GenerateRequest request =
        generator
            .generate(one.stringAt("prompt"))
            .steps((int) one.longAt("steps"))
            .guidance(one.doubleAt("guidance", 7.5))
            .seed(one.longAt("seed"))
            .size((int) one.longAt("width"), (int) one.longAt("height"))
            .scheduler(one.stringAt("scheduler"));
    if (one.hasValue("negative")) {
      request = request.negative(one.stringAt("negative"));
    }
    if (one.hasValue("guidanceRescale")) {
      request = request.guidanceRescale(one.doubleAt("guidanceRescale", 0));
    }
    if (one.hasValue("variation")) {
      Json variation = one.at("variation");
      request = request.variation(variation.longAt("seed"), variation.doubleAt("strength"));
    }
    if (one.hasValue("clipSkip")) {
      request = request.clipSkip((int) one.longAt("clipSkip"));
    }
    if (one.hasValue("image")) {
      request =
          request
              .from(Image.read(folder.resolve(one.stringAt("image"))))
              .strength(one.doubleAt("strength", 0.8));
    }
    if (one.hasValue("mask")) {
      request = request.mask(Image.read(folder.resolve(one.stringAt("mask"))));
    }
    return request;
  }
}
