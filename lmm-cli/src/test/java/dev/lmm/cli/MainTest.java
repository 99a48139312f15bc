package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.lmm.Image;
import dev.lmm.Video;
import dev.lmm.core.engine.Gpus;
import dev.lmm.core.hub.BundledModels;
import dev.lmm.core.json.Json;
import dev.lmm.tiny.TinyPictures;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  @TempDir Path folder;
  private String picture = "";
  private String other = "";
  private String caption = "";
  private String korean = "";

  /** What a command printed, and its exit status. */
  private record Ran(int status, String out, String err) {
    Json json() {
      assertThat(err).isEmpty();
      assertThat(status).isZero();
      assertThat(out.strip().lines()).as("one document").hasSize(1);
      return Json.parse(out.getBytes(StandardCharsets.UTF_8), "stdout");
    }

    void failed(int expectedStatus, String message) {
      assertThat(status).as(err).isEqualTo(expectedStatus);
      assertThat(out).isEmpty();
      assertThat(err.lines()).as("one line").hasSize(1);
      assertThat(err).startsWith("lmm: ").contains(message);
    }
  }

  @BeforeEach
  void writePictures() throws IOException {
    List<TinyPictures.Captioned> pictures = TinyPictures.all();
    picture = write(pictures.get(0));
    other = write(pictures.get(1));
    caption = pictures.get(0).english();
    korean = pictures.get(0).korean();
  }

  private String write(TinyPictures.Captioned captioned) throws IOException {
    Path file = folder.resolve(captioned.file());
    Files.write(file, TinyPictures.bytes(captioned.file()));
    return file.toString();
  }

  private static Ran run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status;
    try (PrintStream o = new PrintStream(out, true, StandardCharsets.UTF_8);
        PrintStream e = new PrintStream(err, true, StandardCharsets.UTF_8)) {
      status = Main.run(o, e, arguments);
    }
    return new Ran(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  @Test
  void rankGivesScoresInTheOrderGiven() {
    Json json =
        run(
                "rank",
                "tiny-clip",
                "--image",
                picture,
                "--image",
                other,
                "--text",
                caption,
                "--text",
                "three white stars on a blue background",
                "--json")
            .json();
    assertThat(json.stringAt("model")).isEqualTo("tiny-clip");
    assertThat(json.stringAt("engine")).isEqualTo("onnx");
    assertThat(json.stringAt("device")).isEqualTo("cpu");
    assertThat(json.stringAt("precision")).isEqualTo("fp32");
    List<Json> results = json.at("results").elements();
    assertThat(results).hasSize(2);
    assertThat(results.get(0).stringAt("image")).isEqualTo(picture);
    List<Json> scores = results.get(0).at("scores").elements();
    assertThat(scores.get(0).stringAt("text")).isEqualTo(caption);
    assertThat(scores.get(0).doubleAt("probability")).isGreaterThan(0.5);
    assertThat(scores.get(0).doubleAt("probability") + scores.get(1).doubleAt("probability"))
        .isCloseTo(1, offset(1e-9));
    assertThat(scores.get(0).doubleAt("similarity")).isBetween(-1.0, 1.0);
    assertThat(scores.get(0).doubleAt("logit")).isGreaterThan(scores.get(1).doubleAt("logit"));
  }

  @Test
  void rankKnowsBothProbabilities() {
    Json sigmoid =
        run("rank", "tiny-clip", "--image", picture, "--text", caption, "--sigmoid", "--json")
            .json();
    Json softmax =
        run("rank", "tiny-siglip2", "--image", picture, "--text", korean, "--softmax", "--json")
            .json();
    assertThat(
            softmax
                .at("results")
                .elements()
                .get(0)
                .at("scores")
                .elements()
                .get(0)
                .doubleAt("probability"))
        .isEqualTo(1);
    assertThat(sigmoid.at("results").elements()).hasSize(1);
    run("rank", "tiny-clip", "--image", picture, "--text", "a", "--softmax", "--sigmoid")
        .failed(2, "mutually exclusive");
  }

  @Test
  void embedListsImagesFirst() {
    Json json = run("embed", "tiny-clip", "--text", "빨간 원", "--image", picture, "--json").json();
    int dimension = json.intAt("dimension");
    List<Json> items = json.at("items").elements();
    assertThat(items).hasSize(2);
    assertThat(items.get(0).stringAt("kind")).isEqualTo("image");
    assertThat(items.get(0).stringAt("source")).isEqualTo(picture);
    assertThat(items.get(1).stringAt("kind")).isEqualTo("text");
    assertThat(items.get(1).stringAt("source")).isEqualTo("빨간 원");
    double squares = 0;
    double[] vector = items.get(1).at("embedding").doubles();
    assertThat(vector).hasSize(dimension);
    for (double v : vector) {
      squares += v * v;
    }
    assertThat(squares).isCloseTo(1, offset(1e-5));
  }

  @Test
  void theInterpreterAgreesWithTheEngine() {
    double[] onnx = vector(run("embed", "tiny-clip", "--image", picture, "--raw", "--json"));
    double[] reference =
        vector(
            run(
                "embed",
                "tiny-clip",
                "--image",
                picture,
                "--raw",
                "--engine",
                "reference",
                "--json"));
    assertThat(onnx).hasSameSizeAs(reference);
    for (int i = 0; i < onnx.length; i++) {
      assertThat(onnx[i]).isCloseTo(reference[i], offset(1e-4));
    }
  }

  private static double[] vector(Ran ran) {
    return ran.json().at("items").elements().get(0).at("embedding").doubles();
  }

  @Test
  void tokenizeGivesIdsAndPieces() {
    Json json = run("tokenize", "tiny-siglip2", "--text", "빨간 원", "--json").json();
    int count = json.at("ids").ints().length;
    assertThat(json.at("tokens").elements()).hasSize(count);
    assertThat(json.at("tokens").elements().get(count - 1).string()).isEqualTo("<eos>");
  }

  @Test
  void preprocessWritesNumPy() throws IOException {
    Path out = folder.resolve("한글 out.npy");
    Json json =
        run("preprocess", "tiny-clip", "--image", picture, "--out", out.toString(), "--json")
            .json();
    assertThat(json.at("shape").ints()).containsExactly(1, 3, 64, 64);
    assertThat(json.stringAt("dtype")).isEqualTo("float32");
    byte[] file = Files.readAllBytes(out);
    assertThat(file.length % 64).isEqualTo((3 * 64 * 64 * 4) % 64);
    assertThat(new String(file, 1, 5, StandardCharsets.US_ASCII)).isEqualTo("NUMPY");
    assertThat(new String(file, 10, 100, StandardCharsets.US_ASCII))
        .contains("'shape': (1, 3, 64, 64,)");
    int header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getShort(8);
    assertThat(file).hasSize(10 + header + 3 * 64 * 64 * 4);
  }

  @Test
  void summaryCountsParameters() {
    Json json = run("summary", "tiny-clip", "--json").json();
    long sum =
        json.at("parts").elements().stream().mapToLong(part -> part.longAt("parameters")).sum();
    assertThat(json.longAt("parameters")).isEqualTo(sum).isGreaterThan(100_000);
    assertThat(json.longAt("bytes")).isEqualTo(2 * sum); // fp16
    assertThat(json.longAt("trained")).isEqualTo(sum);
    assertThat(run("summary", "tiny-clip").out())
        .contains("Total params", "vision_model")
        .doesNotContain("Trained params", "frozen");
    Json blip = run("summary", "tiny-blip2", "--json").json();
    assertThat(blip.longAt("trained")).isBetween(1L, blip.longAt("parameters") / 2);
    assertThat(run("summary", "tiny-blip2").out()).contains("Trained params", "language: ");
  }

  @Test
  void benchMeasuresEveryStage() {
    Json json = run("bench", "tiny-clip", "--seconds", "0.05", "--batch", "2", "--json").json();
    List<Json> stages = json.at("stages").elements();
    assertThat(stages).extracting(stage -> stage.stringAt("name")).containsExactly("image", "text");
    for (Json stage : stages) {
      assertThat(stage.doubleAt("perSecond")).isPositive();
      assertThat(stage.doubleAt("medianMs")).isPositive();
      assertThat(stage.doubleAt("fractionOfLimit")).isPositive();
    }
  }

  @Test
  void benchComparesPrecisions() {
    Json json =
        run(
                "bench",
                "tiny-clip",
                "--precision",
                "fp32,int8,int4",
                "--seconds",
                "0.05",
                "--text",
                "a photo of a red circle",
                "--json")
            .json();
    assertThat(json.has("precision")).isFalse();
    List<Json> stages = json.at("stages").elements();
    assertThat(stages)
        .extracting(stage -> stage.stringAt("precision") + " " + stage.stringAt("name"))
        .containsExactly(
            "fp32 image", "fp32 text", "int8 image", "int8 text", "int4 image", "int4 text");
    // At int4 the vision tower stays as it is.
    assertThat(stages.stream().map(stage -> stage.doubleAt("cosineToFp32") > 0.9999999).toList())
        .containsExactly(true, true, false, false, true, false);
    assertThat(stages).allSatisfy(s -> assertThat(s.doubleAt("cosineToFp32")).isGreaterThan(0.9));
    run("embed", "tiny-clip", "--text", "a", "--precision", "int8,int4")
        .failed(2, "this command takes one");
    run("embed", "tiny-clip", "--text", "a", "--precision", "bf16").failed(1, "fp32, int8, int4");
  }

  @Test
  void dryRandomNeedsNoWeightsAndSaysSo() throws IOException {
    Path model = folder.resolve("모델 folder");
    Files.createDirectories(model);
    Files.writeString(
        model.resolve("config.json"),
        """
        {"model_type":"clip","projection_dim":32,
         "text_config":{"hidden_size":32,"intermediate_size":64,"num_hidden_layers":1,
           "num_attention_heads":2,"vocab_size":1000},
         "vision_config":{"hidden_size":32,"intermediate_size":64,"num_hidden_layers":1,
           "num_attention_heads":2,"image_size":32,"patch_size":16}}
        """);
    Files.writeString(model.resolve("preprocessor_config.json"), "{\"size\":32,\"crop_size\":32}");
    Path tiny = BundledModels.find("tiny-clip");
    for (String file : List.of("vocab.json", "merges.txt", "tokenizer_config.json")) {
      Files.copy(tiny.resolve(file), model.resolve(file));
    }
    run("embed", model.toString(), "--text", "a").failed(1, "has no weights");
    Json json =
        run("embed", model.toString(), "--text", "a", "--image", picture, "--dry-random", "--json")
            .json();
    assertThat(json.boolAt("randomWeights")).isTrue();
    assertThat(run("embed", model.toString(), "--text", "a", "--dry-random").err())
        .contains("the weights are random");
  }

  @Test
  void doctorListsEnginesAndDevices() {
    Json json = run("doctor", "--json").json();
    assertThat(json.at("engines").elements())
        .extracting(engine -> engine.stringAt("name"))
        .contains("onnx", "reference");
    assertThat(json.at("devices").elements().get(0).string()).isEqualTo("cpu");
    Gpus gpus = Gpus.find();
    assertThat(json.at("gpus").elements()).hasSameSizeAs(gpus.cards());
    String cards = gpus.cards().isEmpty() ? "[--] cuda: " + gpus.reason() : "[ok] cuda:0 ";
    assertThat(run("doctor").out()).contains("[ok] onnx", cards);
  }

  @Test
  void demoWritesAPageAndItsPictures() throws IOException {
    Path out = folder.resolve("gallery");
    Json json = run("demo", "--out", out.toString(), "--json").json();
    Path page = Path.of(json.stringAt("page"));
    String html = Files.readString(page);
    assertThat(html).contains("tiny-clip", "tiny-siglip2", caption, korean);
    assertThat(html).doesNotContain("http://", "https://");
    // Every picture the page names is there: the denoising slider's too.
    assertThat(html).contains("tiny-sd", "id=\"steps\"", "made-guidance-7.5.png");
    Matcher sources = Pattern.compile("src=\"(pictures/[^\"]+)\"").matcher(html);
    while (sources.find()) {
      assertThat(out.resolve(sources.group(1))).exists();
    }
    assertThat(out.resolve("pictures/made-step-01.png")).exists();
    assertThat(html)
        .contains("tiny-qwen2.5-vl", "pictures/boxes-0-ko.png", "pictures/track.gif", "int4");
    // A caption, an answer, the sheet of queries.
    assertThat(html).contains("tiny-blip2 describes each picture", "pictures/queries.png");
    assertThat(html).contains("tiny-blip2-itm reads each caption while it looks");
    assertThat(html).contains("a purple heart in the centre on a white background<br>");
    assertThat(html).contains("<td>사각형은 무슨 색인가요?</td><td><b>주황색</b></td>");
    for (TinyPictures.Captioned captioned : TinyPictures.all()) {
      assertThat(html).contains("pictures/" + captioned.file());
      assertThat(out.resolve("pictures").resolve(captioned.file())).exists();
    }
  }

  @Test
  void demoShowsCaptionsQueriesAndWhatBelongsTogether() throws IOException {
    // Random weights: that the parts are there is all that can be said.
    String golden = "../lmm-blip2/src/test/resources/golden/";
    Path out = folder.resolve("captions");
    Json json =
        run(
                "demo",
                "--model",
                golden + "blip2-opt",
                "--model",
                golden + "blip2-itm",
                "--out",
                out.toString(),
                "--json")
            .json();
    String html = Files.readString(Path.of(json.stringAt("page")));
    assertThat(html)
        .contains("<a href=\"#captions\">", "<a href=\"#queries\">", "<a href=\"#matching\">")
        .contains(golden + "blip2-opt describes each picture", "사각형은 무슨 색인가요?</td><td><b>")
        .contains(golden + "blip2-itm reads each caption", " 64 pairs in ")
        .doesNotContain("id=\"generate\"", "id=\"boxes\"");
    assertThat(html.split("<figure class=\"scene\">", -1)).hasSize(1 + 8);
    // Six queries side by side.
    assertThat(Image.read(out.resolve("pictures").resolve("queries.png")).width())
        .isEqualTo(6 * 160);
  }

  @Test
  void generateMakesPicturesAndPreviews() throws IOException {
    String model = "../lmm-diffusion/src/test/resources/golden/sd15";
    Path out = folder.resolve("그림 a.png");
    Path previews = folder.resolve("steps");
    Json json =
        run(
                "generate",
                model,
                "--prompt",
                "빨간 원",
                "--negative",
                "blue",
                "--steps",
                "2",
                "--guidance",
                "5",
                "--seed",
                "9",
                "--scheduler",
                "euler",
                "--width",
                "72",
                "--height",
                "64",
                "--count",
                "2",
                "--previews",
                previews.toString(),
                "--out",
                out.toString(),
                "--json")
            .json();
    List<Json> images = json.at("images").elements();
    assertThat(images).hasSize(2);
    for (int i = 0; i < 2; i++) {
      assertThat(images.get(i).longAt("seed")).isEqualTo(9 + i);
      assertThat(images.get(i).stringAt("scheduler")).isEqualTo("euler");
      assertThat(images.get(i).longAt("steps")).isEqualTo(2);
      assertThat(images.get(i).longAt("width")).isEqualTo(72);
      Path file = Path.of(images.get(i).stringAt("file"));
      assertThat(file).hasFileName("그림 a-" + (9 + i) + ".png");
      assertThat(Image.read(file).height()).isEqualTo(64);
      assertThat(previews.resolve("00" + (i + 1) + "-step-002.png")).exists();
    }
    assertThat(json.stringAt("engine")).isEqualTo("onnx");

    Path again = folder.resolve("b.png");
    Ran started =
        run(
            "generate",
            model,
            "--prompt",
            "",
            "--steps",
            "2",
            "--init-image",
            images.get(0).stringAt("file"),
            "--strength",
            "0.5",
            "--out",
            again.toString());
    assertThat(started.out().strip()).isEqualTo(again.toString());
    assertThat(Image.read(again).width()).isEqualTo(72);

    String lora = "../lmm-diffusion/src/test/resources/golden/lora/sd15-peft.safetensors";
    List<byte[]> made = new ArrayList<>();
    for (String adapter : List.of(lora + ":0", lora, lora + ":-0.5")) {
      run(
          "generate",
          model,
          "--prompt",
          "a",
          "--steps",
          "1",
          "--lora",
          adapter,
          "--out",
          again.toString());
      made.add(Image.read(again).rgb());
    }
    assertThat(made.get(0)).isNotEqualTo(made.get(1));
    assertThat(made.get(1)).isNotEqualTo(made.get(2));
    run("generate", model, "--prompt", "a", "--lora", "no.safetensors:1", "--out", out.toString())
        .failed(1, "no.safetensors: no such file");
    run("generate", model, "--prompt", "a", "--scheduler", "x", "--out", again.toString())
        .failed(1, "expected one of [ddim");
    run("generate", model, "--prompt", "a", "--width", "64", "--out", again.toString())
        .failed(2, "--width and --height belong together");
    run("generate", model, "--prompt", "a", "--mask", picture, "--out", again.toString())
        .failed(2, "need --init-image");
    run("generate", "tiny-clip", "--prompt", "a", "--out", again.toString())
        .failed(1, "makes no pictures");
  }

  private static final String QWEN = "../lmm-qwenvl/src/test/resources/golden/qwen5";
  private static final String MEDIA = "../lmm-qwenvl/src/test/resources/golden/media/";

  @Test
  void chatAnswersAboutPicturesAndVideos() {
    Json one =
        run(
                "chat",
                QWEN,
                "--image",
                MEDIA + "tall.png",
                "--video",
                MEDIA + "clip",
                "--text",
                "picture and video",
                "--system",
                "Answer in Korean.",
                "--max-tokens",
                "5",
                "--json")
            .json();
    // The golden's clip has the same two frames a second.
    Json golden = Json.parse(Path.of(QWEN, "golden.json")).at("cases").elements().get(8);
    assertThat(one.intAt("promptTokens")).isEqualTo(golden.at("ids").ints().length);
    assertThat(one.at("tokens").ints()[0]).isEqualTo(golden.at("answer").ints()[0]);
    assertThat(one.at("logprobs").elements()).hasSameSizeAs(one.at("tokens").elements());
    assertThat(one.stringAt("engine")).isEqualTo("onnx");

    Json less =
        run(
                "chat",
                QWEN,
                "--video",
                MEDIA + "clip",
                "--frames",
                "1",
                "--text",
                "a",
                "--max-tokens",
                "1",
                "--json")
            .json();
    Json all =
        run("chat", QWEN, "--video", MEDIA + "clip", "--text", "a", "--max-tokens", "1", "--json")
            .json();
    // Five frames are three steps of time, one frame is one.
    int step = (all.intAt("promptTokens") - less.intAt("promptTokens")) / 2;
    assertThat(step).isGreaterThan(1);

    // The same clip as a file: all frames are the same video, two a second by the model's rule are
    // 4.
    Path gif = folder.resolve("영상 clip.gif");
    Video.read(Path.of(MEDIA, "clip"), 2).save(gif);
    assertThat(promptTokens(gif, "--frames", "5")).isEqualTo(all.intAt("promptTokens"));
    assertThat(promptTokens(gif, "--fps", "2")).isEqualTo(less.intAt("promptTokens") + step);
    // Each frame has at least 128 tokens by the utilities' rule.
    assertThat(promptTokens(gif, "--qwen-utils")).isGreaterThan(2 * 128);

    Ran people = run("chat", QWEN, "--text", "one", "--text", "two", "--regex", "[ab]{3}");
    assertThat(people.status()).isZero();
    assertThat(people.out()).matches("[ab]{3}\\R[ab]{3}\\R");
  }

  private static int promptTokens(Path video, String... sampling) {
    List<String> line = new ArrayList<>(List.of("chat", QWEN, "--video", video.toString()));
    line.addAll(List.of(sampling));
    line.addAll(List.of("--text", "a", "--max-tokens", "1", "--json"));
    return run(line.toArray(new String[0])).json().intAt("promptTokens");
  }

  @Test
  void locateFindsInThePicturesOwnPixels() {
    Path drawn = folder.resolve("boxes.png");
    Json found =
        run(
                "locate",
                QWEN,
                "--image",
                MEDIA + "wide.png",
                "--text",
                "Locate every shape.",
                "--label",
                "원",
                "--label",
                "star",
                "--at-most",
                "2",
                "--tiles",
                "2x1",
                "--out",
                drawn.toString(),
                "--json")
            .json();
    Image picture = Image.read(Path.of(MEDIA, "wide.png"));
    assertThat(found.at("image").intAt("width")).isEqualTo(picture.width());
    assertThat(found.at("regions").elements())
        .allSatisfy(
            region -> {
              assertThat(region.stringAt("label")).isIn("원", "star");
              assertThat(region.at("box").doubles()[2]).isLessThanOrEqualTo(picture.width());
              assertThat(region.at("box").doubles()[3]).isLessThanOrEqualTo(picture.height());
            });
    assertThat(found.at("tokens").ints()).isNotEmpty();
    assertThat(found.stringAt("text")).contains("bbox_2d");
    assertThat(Image.read(drawn).height()).isEqualTo(picture.height());
    run("locate", QWEN, "--image", MEDIA + "wide.png", "--text", " ").failed(1, "query: is empty");
    run("locate", QWEN, "--image", MEDIA + "wide.png", "--text", "a", "--tiles", "3")
        .failed(2, "--tiles is 3");
    run("locate", "tiny-clip", "--image", MEDIA + "wide.png", "--text", "a")
        .failed(1, "finds nothing in pictures");
  }

  @Test
  void trackFollowsThroughAVideo() throws IOException {
    Path gif = folder.resolve("track.gif");
    Path csv = folder.resolve("track.csv");
    Path coco = folder.resolve("track.json");
    Json tracked =
        run(
                "track",
                QWEN,
                "--video",
                MEDIA + "clip",
                "--text",
                "Locate it.",
                "--label",
                "it",
                "--at-most",
                "2",
                "--interpolate",
                "--out",
                gif.toString(),
                "--csv",
                csv.toString(),
                "--coco",
                coco.toString(),
                "--json")
            .json();
    assertThat(tracked.at("frames").elements()).hasSize(5);
    assertThat(tracked.at("frames").elements().get(2).doubleAt("seconds")).isEqualTo(1.0);
    Image frame = Image.read(Path.of(MEDIA, "clip").resolve(firstFrame()));
    assertThat(Image.read(gif).width()).isEqualTo(frame.width());
    assertThat(Files.readString(csv)).startsWith("frame,id,label,");
    assertThat(Json.parse(coco).at("categories").elements())
        .allSatisfy(category -> assertThat(category.stringAt("name")).isEqualTo("it"));
    Path frames = folder.resolve("frames");
    run(
        "track",
        QWEN,
        "--video",
        MEDIA + "clip",
        "--frames",
        "2",
        "--text",
        "a",
        "--label",
        "a",
        "--at-most",
        "1",
        "--out",
        frames.toString());
    assertThat(frames)
        .isDirectoryContaining("glob:**000000.png")
        .isDirectoryContaining("glob:**000002.png");
    run("track", QWEN, "--text", "a").failed(2, "--video");
    // The file that was drawn is a video as well.
    assertThat(
            run(
                    "track",
                    QWEN,
                    "--video",
                    gif.toString(),
                    "--frames",
                    "3",
                    "--text",
                    "a",
                    "--label",
                    "a",
                    "--at-most",
                    "1",
                    "--json")
                .json()
                .at("frames")
                .elements())
        .extracting(each -> each.intAt("index"))
        .containsExactly(0, 1, 3);
  }

  private static Path firstFrame() throws IOException {
    try (var files = Files.list(Path.of(MEDIA, "clip"))) {
      return files.map(Path::getFileName).sorted().findFirst().orElseThrow();
    }
  }

  @Test
  void chatRefusesWhatItCannotDo() throws IOException {
    run("chat", QWEN, "--json").failed(2, "--text");
    run("chat", QWEN, "--text", " ").failed(1, "text: is empty");
    run("chat", QWEN, "--text", "a", "--video", MEDIA + "clip", "--frames", "0")
        .failed(2, "--frames");
    run("chat", QWEN, "--text", "a", "--video", MEDIA + "clip", "--fps", "-1").failed(2, "--fps");
    run("chat", QWEN, "--text", "a", "--video", MEDIA + "clip", "--frames", "6")
        .failed(1, "1 to 5");
    run("chat", QWEN, "--text", "a", "--video", folder.resolve("none").toString())
        .failed(1, "none");
    run("chat", QWEN, "--text", "a", "--video", picture, "--frames", "2", "--fps", "2")
        .failed(2, "exclude each other");
    run("chat", QWEN, "--text", "a", "--video", picture, "--frames", "2", "--qwen-utils")
        .failed(2, "exclude each other");
    // No video: a text, an empty file, an empty folder.
    Path text = Files.writeString(folder.resolve("text.mp4"), "no video");
    run("chat", QWEN, "--text", "a", "--video", text.toString()).failed(1, "is no video");
    Path empty = Files.writeString(folder.resolve("empty.mp4"), "");
    run("track", QWEN, "--text", "a", "--video", empty.toString()).failed(1, "is empty");
    Path none = Files.createDirectories(folder.resolve("no frames"));
    run("track", QWEN, "--text", "a", "--video", none.toString()).failed(1, "holds no frame");
    run("chat", QWEN, "--text", "a", "--regex", "(").failed(1, "regex");
    run("chat", "tiny-clip", "--text", "a").failed(1, "no chat");
  }

  @Test
  void wrongUsageIsOneLineAndStatusTwo() {
    run().failed(2, "No command was given");
    run("rank", "tiny-clip").failed(2, "--image");
    run("rank", "--image", picture, "--text", "a").failed(2, "MODEL");
    run("embed", "tiny-clip").failed(2, "Nothing to embed");
    run("embed", "tiny-clip", "--text", "a", "--precision", "int3").failed(2, "int3");
    run("embed", "tiny-clip", "--text", "a", "--threads", "-1").failed(2, "--threads");
    run("bench", "tiny-clip", "--batch", "0").failed(2, "--batch");
    run("nonsense").failed(2, "nonsense");
  }

  @Test
  void failuresAreOneLineAndStatusOne() throws IOException {
    run("embed", "no-such-model", "--text", "a").failed(1, "no-such-model");
    run("embed", folder.toString(), "--text", "a").failed(1, "config.json");
    run("embed", "tiny-clip", "--image", folder.resolve("none.png").toString())
        .failed(1, "none.png");
    Path broken = folder.resolve("broken.png");
    Files.writeString(broken, "not a picture");
    run("embed", "tiny-clip", "--image", broken.toString()).failed(1, "broken.png");
    run("embed", "tiny-clip", "--text", "a", "--engine", "warp").failed(1, "warp");
    run("embed", "tiny-clip", "--text", "a", "--device", "cuda:0").failed(1, "cuda:0");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "embed",
        "rank",
        "generate",
        "chat",
        "summary",
        "tokenize",
        "preprocess",
        "bench",
        "doctor",
        "demo"
      })
  void everyCommandHasHelp(String command) {
    Ran ran = run(command, "--help");
    assertThat(ran.status()).isZero();
    assertThat(ran.out()).contains("Usage: lmm " + command);
  }
}
