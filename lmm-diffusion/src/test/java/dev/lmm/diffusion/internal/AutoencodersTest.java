package dev.lmm.diffusion.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.GenerateRequest;
import dev.lmm.GeneratedImage;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.Models;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tiny autoencoders, tiles and the safety checker; reference/autoencoder_goldens.py. */
class AutoencodersTest {
  private static final Path FILES = Goldens.FOLDER.resolve("autoencoders");
  private static final Path SD15 = Goldens.FOLDER.resolve("sd15");
  private static final List<Json> CASES =
      Json.parse(FILES.resolve("golden.json")).at("cases").elements();

  @TempDir Path folder;

  private static Tensor run(
      String engine,
      dev.lmm.core.graph.Graph graph,
      CheckpointWeights weights,
      String in,
      Tensor x) {
    try (Program program = Engines.choose(engine).compile(graph, weights, CompileOptions.DEFAULT)) {
      return program.run(Map.of(in, x)).values().iterator().next();
    }
  }

  @Test
  void tilesEqual() {
    Codec codec = Codec.of(Json.parse(SD15.resolve("vae/config.json")));
    try (CheckpointWeights golden = Goldens.open("autoencoders");
        CheckpointWeights weights = CheckpointFiles.open(SD15.resolve("vae"))) {
      Tiling.Step decode =
          tile ->
              Planes.of(
                  run(
                      "onnx",
                      codec.decoder(new WeightUsage(weights, "c"), tile.height(), tile.width()),
                      weights,
                      "latents",
                      tile.tensor()));
      Planes latents = Planes.of(Goldens.tensor(golden, "tiles.latents"));
      Goldens.close(
          Tiling.run(latents, 8, 64, decode).tensor(),
          Goldens.tensor(golden, "tiles.picture"),
          "picture");
      Tiling.Step encode =
          tile ->
              Planes.of(
                  run(
                      "onnx",
                      codec.encoder(new WeightUsage(weights, "c"), tile.height(), tile.width()),
                      weights,
                      "picture",
                      tile.tensor()));
      Planes planes = Planes.of(Goldens.tensor(golden, "tiles.planes"));
      Goldens.close(
          Tiling.run(planes, 64, 8, encode).tensor(),
          Goldens.tensor(golden, "tiles.moments"),
          "moments");
    }
  }

  @Test
  void tilesOfNothingDoneAreTheWhole() {
    float[] numbers = new float[3 * 21 * 13];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = i % 7;
    }
    Planes x = new Planes(FloatBuffer.wrap(numbers), 3, 21, 13);
    assertThat(Tiling.run(x, 8, 8, tile -> tile).tensor().toFloats())
        .usingComparatorWithPrecision(1e-5f)
        .containsExactly(numbers);
  }

  private static GenerateRequest request(Generator generator, Json one) {
    GenerateRequest request =
        generator
            .generate(one.stringAt("prompt"))
            .steps(one.intAt("steps"))
            .guidance(one.doubleAt("guidance"))
            .seed(one.longAt("seed"))
            .size(one.intAt("width"), one.intAt("height"))
            .scheduler(one.stringAt("scheduler"))
            .vaeTiling(one.boolAt("tiles", false));
    if (one.hasValue("image")) {
      request =
          request
              .from(Image.read(SD15.resolve(one.stringAt("image"))))
              .strength(one.doubleAt("strength"));
    }
    return one.hasValue("decoder") ? request.decodeBy(FILES.resolve("tiny")) : request;
  }

  @Test
  void picturesEqualWithinOneLevel() throws IOException {
    List<String> wrong = new ArrayList<>();
    copy(SD15, folder.resolve("own"));
    copy(FILES.resolve("tiny"), folder.resolve("own/vae"));
    copy(SD15, folder.resolve("checked"));
    copy(FILES.resolve("checked"), folder.resolve("checked"));
    Path index = folder.resolve("checked/model_index.json");
    String named = "\"safety_checker\": [\n    \"stable_diffusion\", \"X\"\n  ]";
    Files.writeString(
        index, Files.readString(index).replaceFirst("\"safety_checker\": \\[[^]]*\\]", named));
    try (CheckpointWeights golden = Goldens.open("autoencoders");
        Generator plain = Models.generator(SD15).engine("onnx").load();
        Generator own = Models.generator(folder.resolve("own")).engine("onnx").load();
        Generator checked = Models.generator(folder.resolve("checked")).engine("onnx").load()) {
      for (int i = 0; i < CASES.size(); i++) {
        Json one = CASES.get(i);
        boolean withChecker = one.boolAt("checked", false);
        Generator generator = withChecker ? checked : one.hasValue("own") ? own : plain;
        GenerateRequest request = request(generator, one);
        GeneratedImage made = request.run().get(0);
        int worst = Goldens.levels(made.image(), golden, "picture." + i);
        if (worst > 1) {
          wrong.add(i + " differs by " + worst + ": " + one.raw());
        }
        assertThat(made.withheld()).as("%d withheld", i).isEqualTo(one.boolAt("withheld", false));
        if (made.withheld()) {
          GeneratedImage shown = request.safetyChecker(false).run().get(0);
          assertThat(shown.withheld()).isFalse();
          assertThat(shown.image().rgb()).isNotEqualTo(made.image().rgb());
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void aPreviewComesFromTheTinyAutoencoder() {
    try (Generator generator = Models.generator(SD15).engine("onnx").load()) {
      GenerateRequest request = generator.generate("a").steps(1).previewBy(FILES.resolve("tiny"));
      List<Image> previews = new ArrayList<>();
      byte[] whole = request.onStep(s -> previews.add(s.preview())).run().get(0).image().rgb();
      byte[] tiny =
          generator
              .generate("a")
              .steps(1)
              .decodeBy(FILES.resolve("tiny"))
              .run()
              .get(0)
              .image()
              .rgb();
      assertThat(previews.get(0).rgb()).isEqualTo(tiny).isNotEqualTo(whole);
    }
  }

  @Test
  void whatDoesNotFitIsNamed() throws IOException {
    copy(FILES.resolve("tiny"), folder.resolve("other"));
    Path config = folder.resolve("other/config.json");
    Files.writeString(
        config,
        Files.readString(config).replace("\"AutoencoderTiny\"", "\"AsymmetricAutoencoderKL\""));
    try (Generator generator = Models.generator(SD15).engine("onnx").load()) {
      GenerateRequest request = generator.generate("a").steps(1);
      assertThatThrownBy(() -> request.decodeBy(folder.resolve("other")).run())
          .hasMessageContaining("_class_name is \"AsymmetricAutoencoderKL\"")
          .hasMessageContaining("AutoencoderKL or AutoencoderTiny");
      assertThatThrownBy(() -> request.decodeBy(folder.resolve("none")).run())
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("none");
      Path sdxl = FILES.resolve("tiny");
      Files.writeString(
          config,
          Files.readString(sdxl.resolve("config.json"))
              .replace("\"latent_channels\": 4", "\"latent_channels\": 5"));
      assertThatThrownBy(() -> request.previewBy(folder.resolve("other")).run())
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("config.json implies");
      assertThat(request.run()).hasSize(1);
    }
    copy(SD15, folder.resolve("sd"));
    Path index = folder.resolve("sd/model_index.json");
    String named = "\"safety_checker\": [\n    \"stable_diffusion\", \"X\"\n  ]";
    Files.writeString(
        index, Files.readString(index).replaceFirst("\"safety_checker\": \\[[^]]*\\]", named));
    // Named but not there: told, and not checked.
    try (Generator generator = Models.generator(folder.resolve("sd")).engine("onnx").load()) {
      assertThat(generator.generate("a").steps(1).run().get(0).withheld()).isFalse();
    }
  }

  @Test
  void anAutoencoderOfOtherLatentsIsRefused() {
    Path taef2 = folder.resolve("wide");
    assertThatThrownBy(
            () -> {
              copy(FILES.resolve("tiny"), taef2);
              Path config = taef2.resolve("config.json");
              Files.writeString(
                  config,
                  Files.readString(config)
                      .replaceAll(
                          "\"(num_encoder_blocks|num_decoder_blocks|encoder_block_out_channels|decoder_block_out_channels)\":"
                              + " \\[[^]]*\\]",
                          "\"$1\": [8, 1]"));
              try (Generator generator =
                  Models.generator(SD15).engine("onnx").randomWeights(1).load()) {
                generator.generate("a").steps(1).decodeBy(taef2).run();
              }
            })
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("stand for 2 pixels a side; the model's have 4 and stand for 8");
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.write(target, Files.readAllBytes(file));
        }
      }
    }
  }
}
