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
import dev.lmm.core.json.Json;
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
    assertThat(generator.schedulers()).contains("euler", "dpmpp-2m", "unipc").hasSize(16);
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
    refused(() -> request.variation(1, 1.01), "variation: strength is 1.01; expected 0 to 1");
    refused(() -> request.variation(1, Double.NaN), "variation: strength is NaN");
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
                + FOLDER
                + ", Version: lmm");
    assertThat(Arrays.equals(Image.read(png).rgb(), made.image().rgb())).isTrue();
    String bytes = new String(Files.readAllBytes(png), StandardCharsets.UTF_8);
    assertThat(bytes).contains("iTXtparameters\0").contains("Negative prompt: 흐림");
    assertThat(bytes)
        .contains("XML:com.adobe.xmp")
        .contains("digitalsourcetype/trainedAlgorithmicMedia");
  }

  private static void sameAgain(GenerateRequest request, Path png) {
    GeneratedImage made = request.run().get(0);
    made.save(png);
    GeneratedImage again = generator.again(png).run().get(0);
    assertThat(again.parameters()).isEqualTo(made.parameters());
    assertThat(Arrays.equals(again.image().rgb(), made.image().rgb())).isTrue();
  }

  @Test
  void theRequestReadFromAPictureMakesItAgain() throws IOException {
    Path png = folder.resolve("그림.png");
    Path files = FOLDER.resolveSibling("lora");
    for (String name : List.of("sd15-peft.safetensors", "sd15-kohya.safetensors")) {
      Files.copy(files.resolve(name), folder.resolve(name));
    }
    Path word = FOLDER.resolveSibling("prompts").resolve("one.bin");
    Files.copy(word, folder.resolve("one.bin"));
    GenerateRequest plain = generator.generate("a red circle").steps(2);
    sameAgain(plain, png);
    sameAgain(generator.generate("").steps(1), png);
    sameAgain(
        generator
            .generate("빨간 원,\n\"a\" <lora:x:1> (b:1.2) \\\\ <w>")
            .negative("")
            .steps(2)
            .guidance(3.3)
            .guidanceRescale(0.3)
            .seed(-7)
            .variation(-9, 0.3)
            .size(72, 64)
            .scheduler("euler")
            .sigmas("karras")
            .clipSkip(1)
            .promptWeights(true)
            .longPrompts(true)
            .textualInversion("<w>", folder.resolve("one.bin"))
            .lora(folder.resolve("sd15-peft.safetensors"), 0.25)
            .lora(folder.resolve("sd15-kohya.safetensors"), -0.5),
        png);
    // Texts that look like what follows them.
    sameAgain(
        generator
            .generate(" a\nNegative prompt: b\nSteps: 3, Seed: 4 ")
            .negative("c\nSteps: 9, Sampler: x, Seed: 1")
            .steps(1),
        png);
    // The picture of a count is that of its seed.
    List<GeneratedImage> two = plain.count(2).run();
    two.get(1).save(png);
    assertThat(generator.again(png).run().get(0).image().rgb()).isEqualTo(two.get(1).image().rgb());
    Image start = Image.read(FOLDER.resolve("start.png"));
    plain.from(start).strength(0.5).run().get(0).save(png);
    byte[] made = Image.read(png).rgb();
    refused(() -> generator.again(png).run(), "was made from a picture");
    assertThat(generator.again(png).from(start).run().get(0).image().rgb()).isEqualTo(made);
  }

  private void text(Path png, String type, byte[] body) throws IOException {
    byte[] whole = Files.readAllBytes(FOLDER.resolve("start.png"));
    java.io.ByteArrayOutputStream chunk = new java.io.ByteArrayOutputStream();
    chunk.writeBytes(type.getBytes(StandardCharsets.ISO_8859_1));
    chunk.writeBytes(body);
    java.util.zip.CRC32 crc = new java.util.zip.CRC32();
    crc.update(chunk.toByteArray());
    java.nio.ByteBuffer all = java.nio.ByteBuffer.allocate(whole.length + body.length + 12);
    all.put(whole, 0, 33).putInt(body.length).put(chunk.toByteArray()).putInt((int) crc.getValue());
    all.put(whole, 33, whole.length - 33);
    Files.write(png, all.array());
  }

  @Test
  void whatOtherToolsWriteIsRead() throws IOException {
    Path png = folder.resolve("a.png");
    String theirs =
        "parameters\0a (cat:1.2) <lora:style:0.8>, blue\nNegative prompt: dog\nSteps: 20, Sampler:"
            + " DPM++ 2M Karras, CFG scale: 7, Seed: 1234, Size: 512x768, Model hash: 6ce0161689,"
            + " Clip skip: 2, Lora hashes: \"style: 1a2b, x: 3c\", Version: v1.9.0";
    text(png, "tEXt", theirs.getBytes(StandardCharsets.ISO_8859_1));
    GenerateRequest request = generator.again(png);
    assertThat(request.prompt()).isEqualTo("a (cat:1.2) , blue");
    assertThat(request.negative()).isEqualTo("dog");
    assertThat(request.scheduler()).isEqualTo("dpmpp-2m");
    assertThat(request.sigmas()).isEqualTo("karras");
    assertThat(List.of(request.steps(), request.width(), request.height(), request.clipSkip()))
        .containsExactly(20, 512, 768, 1);
    assertThat(request.guidance()).isEqualTo(7);
    assertThat(request.seed()).isEqualTo(1234);
    assertThat(request.promptWeights() && request.longPrompts()).isTrue();
    assertThat(request.loras())
        .containsExactly(
            new dev.lmm.Lora(folder.toAbsolutePath().resolve("style.safetensors"), 0.8));

    java.util.zip.Deflater deflater = new java.util.zip.Deflater();
    deflater.setInput("a\nSteps: 1, Sampler: Euler a, Seed: 5".getBytes(StandardCharsets.UTF_8));
    deflater.finish();
    byte[] packed = new byte[200];
    int length = deflater.deflate(packed);
    deflater.end();
    byte[] head = "parameters\0\0".getBytes(StandardCharsets.ISO_8859_1);
    byte[] body = Arrays.copyOf(head, head.length + length);
    System.arraycopy(packed, 0, body, head.length, length);
    text(png, "zTXt", body);
    assertThat(generator.again(png).scheduler()).isEqualTo("euler-a");
    body[head.length + 4] ^= 0x55;
    text(png, "zTXt", body);
    assertThatThrownBy(() -> generator.again(png)).isInstanceOf(dev.lmm.ImageException.class);

    text(png, "tEXt", "parameters\0just words".getBytes(StandardCharsets.ISO_8859_1));
    refused(() -> generator.again(png), "has no line of settings with Steps and Seed");
    String escaping = "parameters\0<lora:../x:1> a\nSteps: 1, Seed: 5";
    text(png, "tEXt", escaping.getBytes(StandardCharsets.ISO_8859_1));
    refused(() -> generator.again(png), "expected a plain file name");
    text(png, "tEXt", "parameters\0a\nSteps: x, Seed: 5".getBytes(StandardCharsets.ISO_8859_1));
    refused(() -> generator.again(png), "a.png: Steps is \"x\"; expected a number");
    Path jpg = folder.resolve("a.jpg");
    request().run().get(0).save(jpg);
    assertThatThrownBy(() -> generator.again(jpg)).hasMessageContaining("is no PNG file");
    assertThatThrownBy(() -> generator.again(FOLDER.resolve("start.png")))
        .hasMessageContaining("carries no request");
    assertThatThrownBy(() -> generator.again(folder.resolve("none.png")))
        .hasMessageContaining("no such file");
    byte[] whole = Files.readAllBytes(FOLDER.resolve("start.png"));
    Files.write(png, Arrays.copyOf(whole, 50));
    assertThatThrownBy(() -> generator.again(png)).isInstanceOf(dev.lmm.ImageException.class);
  }

  @Test
  void aVariationLeadsFromOneSeedToAnother() {
    byte[] one = request().seed(5).run().get(0).image().rgb();
    byte[] other = request().seed(9).run().get(0).image().rgb();
    GenerateRequest towards = request().seed(5);
    assertThat(towards.variation(9, 0).run().get(0).image().rgb()).isEqualTo(one);
    assertThat(towards.variation(9, 1).run().get(0).image().rgb()).isEqualTo(other);
    byte[] near = towards.variation(9, 0.1).run().get(0).image().rgb();
    byte[] middle = towards.variation(9, 0.5).run().get(0).image().rgb();
    assertThat(far(near, one)).isPositive().isLessThan(far(middle, one));
    assertThat(far(middle, one)).isLessThan(far(other, one));
    assertThat(towards.variation(5, 0.5).run().get(0).image().rgb()).isEqualTo(one);
  }

  private static long far(byte[] a, byte[] b) {
    long sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.abs((a[i] & 0xFF) - (b[i] & 0xFF));
    }
    return sum;
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

  /** As runwayml's was published: a UNet of nine channels, a pipeline class of its own. */
  @Test
  void aModelMadeForPaintingNeedsAMask() {
    Path painting = FOLDER.resolveSibling("inpaint");
    try (Generator painter = Models.generator(painting).engine("onnx").load()) {
      GenerateRequest request = painter.generate("a").steps(2).scheduler("ddim");
      refused(request::run, "mask: is missing; this model was made for painting into pictures");
      Image start = Image.read(painting.resolve("start.png"));
      refused(() -> request.from(start).run(), "mask: is missing");
      Image mask = Image.read(painting.resolve("mask.png"));
      assertThat(request.from(start).mask(mask).run().get(0).image().width()).isEqualTo(88);
    }
    // The golden pictures tell the usual mistakes from what is right.
    assertThat(Json.parse(painting.resolve("golden.json")).at("mistakes").elements())
        .hasSize(7)
        .allSatisfy(m -> assertThat(m.intAt("levels")).as(m.stringAt("name")).isGreaterThan(3));
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
