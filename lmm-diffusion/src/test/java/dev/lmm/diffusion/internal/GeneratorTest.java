package dev.lmm.diffusion.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.CheckpointException;
import dev.lmm.ClosedException;
import dev.lmm.DenoisingStep;
import dev.lmm.GenerateRequest;
import dev.lmm.GeneratedImage;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.LmmException;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.UnsupportedModelException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What callers see, on a tiny pipeline with random weights. */
class GeneratorTest {
  private static final Path FOLDER = Path.of("src/test/resources/golden/sd15");

  private static Generator generator;

  @TempDir Path folder;

  @BeforeAll
  static void load() {
    generator = Models.generator(FOLDER).engine("onnx").load();
  }

  @AfterAll
  static void close() {
    generator.close();
    generator.close();
    assertThatThrownBy(() -> generator.generate("a").run()).isInstanceOf(ClosedException.class);
  }

  private static GenerateRequest request() {
    return generator.generate("a red circle").steps(3).scheduler("ddim");
  }

  @Test
  void everyStepIsShown() {
    List<DenoisingStep> steps = new ArrayList<>();
    List<Image> previews = new ArrayList<>();
    List<Image> decoded = new ArrayList<>();
    GeneratedImage made =
        request()
            .onStep(
                step -> {
                  steps.add(step);
                  previews.add(step.preview());
                  decoded.add(step.decoded());
                })
            .run()
            .get(0);
    assertThat(steps.stream().map(DenoisingStep::index)).containsExactly(0, 1, 2);
    assertThat(steps).allMatch(step -> step.count() == 3 && step.picture() == 0);
    assertThat(steps.get(0).timestep()).isGreaterThan(steps.get(2).timestep());
    assertThat(previews).allMatch(p -> p.width() == 64 && p.height() == 64);
    // Watching changes nothing, and the last step is the picture.
    assertThat(Arrays.equals(decoded.get(2).rgb(), made.image().rgb())).isTrue();
    assertThat(Arrays.equals(request().run().get(0).image().rgb(), made.image().rgb())).isTrue();
  }

  /** As pipelines are published: the variant beside what has none, in each part's own name. */
  @Test
  void aVariantOfTheWeightsMakesTheSamePicture() throws IOException {
    try (Stream<Path> all = Files.walk(FOLDER)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        Path target = folder.resolve(FOLDER.relativize(file).toString());
        Files.createDirectories(target.getParent());
        String name = file.getFileName().toString();
        boolean weights =
            name.endsWith("model.safetensors") && !file.startsWith(FOLDER.resolve("vae"));
        Files.copy(
            file, weights ? target.resolveSibling(name.replace(".safe", ".fp16.safe")) : target);
      }
    }
    assertThat(folder.resolve("unet/diffusion_pytorch_model.fp16.safetensors")).exists();
    assertThat(folder.resolve("text_encoder/model.fp16.safetensors")).exists();
    try (Generator variant = Models.generator(folder).engine("onnx").variant("fp16").load()) {
      Image made = variant.generate("a red circle").steps(3).scheduler("ddim").run().get(0).image();
      assertThat(made.rgb()).isEqualTo(request().run().get(0).image().rgb());
    }
  }

  @Test
  void defaultsAreTheModels() {
    GeneratedImage made = generator.generate("a").steps(1).run().get(0);
    assertThat(made.scheduler()).isEqualTo("pndm");
    assertThat(made.seed()).isZero();
    assertThat(made.image().width()).isEqualTo(64);
    assertThat(generator.schedulers()).contains("euler", "dpmpp-2m", "unipc").hasSize(15);
    assertThat(generator.summary().parts())
        .extracting(part -> part.name())
        .containsExactly("text_encoder", "unet", "vae_encoder", "vae_decoder");
  }

  @Test
  void aStopComesWithinAStep() {
    Cancellation cancellation = new Cancellation();
    List<Integer> seen = new ArrayList<>();
    assertThatThrownBy(
            () ->
                request()
                    .cancelledBy(cancellation)
                    .onStep(
                        step -> {
                          seen.add(step.index());
                          cancellation.cancel();
                        })
                    .run())
        .isInstanceOf(CancelledException.class);
    assertThat(seen).containsExactly(0);
    assertThat(request().run()).hasSize(1);
  }

  @Test
  void anInterruptedThreadStops() {
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> request().run()).isInstanceOf(CancelledException.class);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void whatCannotBeIsNamed() {
    GenerateRequest request = request();
    Image picture = request.run().get(0).image();
    Image sliver = Image.ofRgb(3, 40, new byte[360]);
    refused(() -> request.steps(0), "steps: is 0; expected 1 to 1000");
    refused(() -> request.guidance(-1), "guidance: is -1.0");
    refused(() -> request.guidance(Double.NaN), "guidance: is NaN");
    refused(() -> request.size(0, 64), "size: is 0x64; expected multiples of 8 from 8 to 8192");
    refused(() -> request.size(65, 64), "size: is 65x64");
    refused(() -> request.size(1 << 20, 64), "size: is 1048576x64");
    refused(() -> request.count(0), "count: is 0");
    refused(() -> request.strength(1.5), "strength: is 1.5; expected 0 to 1");
    refused(() -> request.scheduler("magic").run(), "scheduler: is magic; expected one of [ddim");
    refused(() -> request.sigmas("karras").run(), "the scheduler ddim has none to space");
    refused(() -> request.mask(picture).run(), "mask: needs a picture to paint in");
    refused(() -> request.from(sliver).run(), "image: is 3x40 pixels; expected at least 8x8");
    refused(() -> request.from(picture).strength(0.1).run(), "leaves none");
    refused(() -> request.clipSkip(9).run(), "clipSkip: leaves out 9 layers of 3");
    assertThat(generator.generate("").steps(1).run()).hasSize(1);
  }

  private static void refused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining(message);
  }

  @Test
  void aPictureKeepsItsSizeAndAMaskItsSurroundings() {
    Image start = Image.read(FOLDER.resolve("start.png"));
    Image made = request().from(start).run().get(0).image();
    assertThat(made.width()).isEqualTo(88);
    assertThat(made.height()).isEqualTo(64);
  }

  @Test
  void aSavedPictureTellsHowItWasMade() throws IOException {
    GeneratedImage made = request().seed(7).negative("흐림").guidance(5).run().get(0);
    Path png = folder.resolve("a.png");
    made.save(png);
    assertThat(made.parameters())
        .isEqualTo(
            "a red circle\nNegative prompt: 흐림\nSteps: 3, Sampler: ddim, CFG scale: 5.0, Seed: 7,"
                + " Size: 64x64, Model: "
                + FOLDER);
    assertThat(Arrays.equals(Image.read(png).rgb(), made.image().rgb())).isTrue();
    String bytes = new String(Files.readAllBytes(png), StandardCharsets.UTF_8);
    assertThat(bytes).contains("iTXtparameters\0").contains("Negative prompt: 흐림");
    assertThat(bytes)
        .contains("XML:com.adobe.xmp")
        .contains("digitalsourcetype/trainedAlgorithmicMedia");
  }

  @Test
  void otherRolesAreRefused() {
    try (Model model = Models.load(FOLDER.toString())) {
      assertThatThrownBy(model::encoder)
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("embeds nothing");
      assertThat(model.inspect().tokenize("a red circle").tokens()).contains("red</w>");
      assertThat(model.inspect().preprocess(Image.ofRgb(20, 9, new byte[540])).shape())
          .containsExactly(1, 3, 8, 16);
    }
  }

  @Test
  void brokenFoldersAreNamed() throws IOException {
    copy();
    edit("unet/config.json", "\"cross_attention_dim\": 32", "\"cross_attention_dim\": 48");
    fails(CheckpointException.class, "attn2.to_k.weight");
    copy();
    edit("unet/config.json", "\"CrossAttnDownBlock2D\"", "\"KDownBlock2D\"");
    fails(UnsupportedModelException.class, "down_block_types[0] is \"KDownBlock2D\"");
    copy();
    edit("scheduler/scheduler_config.json", "PNDMScheduler", "MagicScheduler");
    fails(UnsupportedModelException.class, "_class_name is \"MagicScheduler\"");
    copy();
    edit("model_index.json", "\"StableDiffusionPipeline\"", "\"FluxPipeline\"");
    fails(UnsupportedModelException.class, "_class_name is FluxPipeline");
    copy();
    Files.delete(folder.resolve("vae/diffusion_pytorch_model.safetensors"));
    fails(CheckpointException.class, "has no weights");
    copy();
    edit("vae/config.json", "\"latent_channels\": 4", "\"latent_channels\": 5");
    fails(CheckpointException.class, "config.json implies");
    copy();
    edit("unet/config.json", "\"block_out_channels\": [", "\"block_out_channels\": [0,");
    fails(CheckpointException.class, "block_out_channels");
  }

  private void copy() throws IOException {
    try (Stream<Path> files = Files.walk(FOLDER)) {
      for (Path file : files.toList()) {
        Path target = folder.resolve(FOLDER.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.write(target, Files.readAllBytes(file));
        }
      }
    }
  }

  private void edit(String file, String from, String to) throws IOException {
    Path path = folder.resolve(file);
    String text = Files.readString(path);
    assertThat(text).contains(from);
    Files.writeString(path, text.replaceFirst(java.util.regex.Pattern.quote(from), to));
  }

  private void fails(Class<? extends LmmException> type, String message) {
    assertThatThrownBy(() -> Models.generator(folder).engine("onnx").load().close())
        .isInstanceOf(type)
        .hasMessageContaining(message);
  }
}
