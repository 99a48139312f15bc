package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Image;
import dev.lmm.tiny.TinyPictures;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs every example on the tiny models and looks at what it prints. */
class ExamplesTest {
  private final List<TinyPictures.Captioned> pictures = TinyPictures.all();

  @TempDir Path folder;

  @BeforeEach
  void writePictures() throws IOException {
    for (TinyPictures.Captioned picture : pictures) {
      Files.write(folder.resolve(picture.file()), TinyPictures.bytes(picture.file()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-clip", "tiny-siglip2"})
  void similarityPutsTheRightCaptionFirst(String model) throws IOException {
    String picture = folder.resolve(pictures.get(1).file()).toString();
    String english = pictures.get(1).english();
    String korean = pictures.get(1).korean();
    assertThat(
            output(
                () ->
                    Similarity.main(
                        new String[] {model, picture, pictures.get(0).english(), english})))
        .startsWith(english);
    assertThat(
            output(
                () ->
                    Similarity.main(
                        new String[] {model, picture, pictures.get(0).korean(), korean})))
        .startsWith(korean);
  }

  @Test
  void drawLeavesAPicture() {
    Draw.main(new String[0]);
    Image drawn = Image.read(Path.of("target", "circle.png"));
    assertThat(drawn.width()).isEqualTo(64);
    byte[] rgb = drawn.rgb();
    int red = 0;
    int blue = 0;
    for (int i = 0; i < rgb.length; i += 3) {
      int r = rgb[i] & 0xff;
      int b = rgb[i + 2] & 0xff;
      red += r > 180 && b < 90 ? 1 : 0;
      blue += b > 160 && r < 90 ? 1 : 0;
    }
    assertShown("draw.png", Path.of("target", "circle.png"));
    assertThat(red).as("pixels of the circle").isBetween(200, 1500);
    assertThat(blue).as("pixels of the background").isGreaterThan(2000);
  }

  @Test
  void zeroShotNamesTheBackground() throws IOException {
    String picture = folder.resolve(pictures.get(0).file()).toString();
    assertThat(output(() -> ZeroShot.main(new String[] {"tiny-clip", picture})))
        .contains(pictures.get(0).file() + ": yellow");
  }

  @Test
  void photoSearchFindsThePictureAndPassesOverOtherFiles() throws IOException {
    Files.writeString(folder.resolve("notes.txt"), "not a picture");
    Files.writeString(folder.resolve("broken.jpg"), "not a picture either");
    String printed =
        output(
            () ->
                PhotoSearch.main(
                    new String[] {"tiny-siglip2", folder.toString(), pictures.get(4).english()}));
    assertThat(printed.lines()).hasSize(4);
    assertThat(printed.lines().toList().get(0)).startsWith("skipped: ").contains("broken.jpg");
    assertThat(printed.lines().toList().get(1)).isEqualTo(pictures.get(4).file());
    assertThat(
            output(
                () ->
                    PhotoSearch.main(
                        new String[] {
                          "tiny-siglip2", folder.toString(), pictures.get(2).korean()
                        })))
        .as("from the index that was kept, in Korean")
        .contains("\n" + pictures.get(2).file());
  }

  @Test
  void photoAlbumFindsLikePictures() throws IOException {
    Path like = folder.resolve(pictures.get(3).file());
    String printed =
        output(
            () -> PhotoAlbum.main(new String[] {"tiny-clip", folder.toString(), like.toString()}));
    assertThat(printed).startsWith("1.000 " + pictures.get(3).file());
    long across = pictures.stream().filter(p -> p.image().width() >= p.image().height()).count();
    assertThat(printed.lines()).hasSize((int) across).hasSizeLessThan(pictures.size());
  }

  @Test
  void embedPrintsEachPicture() throws IOException {
    Files.writeString(folder.resolve("notes.txt"), "not a picture");
    String printed = output(() -> Embed.main(new String[] {"tiny-clip", folder.toString()}));
    assertThat(printed.lines()).hasSize(pictures.size() + 1);
    assertThat(printed)
        .contains(pictures.get(0).file() + ": 128", "notes.txt: this is no known picture format");
  }

  @Test
  void captionsDescribesAndAnswers() throws IOException {
    // Random weights, the golden's own words: lmm-blip2 compares them with transformers'.
    String model = "../lmm-blip2/src/test/resources/golden/blip2-opt";
    String picture = folder.resolve(pictures.get(0).file()).toString();
    String printed =
        output(() -> Captions.main(new String[] {model, picture, "What colour is it?"}));
    assertThat(printed.lines()).hasSizeGreaterThanOrEqualTo(2);
    assertThat(printed).isNotBlank();
  }

  @Test
  void imageToImageKeepsMoreAtLessStrength() {
    // A yellow star on blue is to become a circle on red; the less may change, the more stays.
    TextToImage.main(
        new String[] {"tiny-sd", "a yellow star on a blue background", folder.toString()});
    Path picture = folder.resolve("result.png");
    double little = changed(picture, "0.1");
    double much = changed(picture, "0.5");
    assertThat(little).isGreaterThan(0);
    assertThat(much).isGreaterThan(1.5 * little);
    assertShown("image-to-image.png", folder.resolve("new-0.5.png"));
  }

  private double changed(Path picture, String strength) {
    Path out = folder.resolve("new-" + strength + ".png");
    String prompt = "a yellow circle on a red background";
    ImageToImage.main(
        new String[] {"tiny-sd", picture.toString(), prompt, strength, out.toString()});
    byte[] before = Image.read(picture).rgb();
    byte[] after = Image.read(out).rgb();
    assertThat(after).hasSameSizeAs(before);
    double sum = 0;
    for (int i = 0; i < before.length; i++) {
      sum += Math.abs((before[i] & 0xFF) - (after[i] & 0xFF));
    }
    return sum / before.length;
  }

  @Test
  void talkAnswersEachQuestion() throws IOException {
    TinyPictures.Captioned scene = TinyPictures.scenes().get(1);
    Path picture = folder.resolve(scene.file());
    Files.write(picture, TinyPictures.bytes(scene.file()));
    String printed =
        output(
            () ->
                Talk.main(
                    new String[] {
                      "tiny-qwen2.5-vl",
                      picture.toString(),
                      "Describe the picture.",
                      "How many hearts are there?"
                    }));
    assertThat(printed.lines()).hasSize(2).noneMatch(String::isBlank);
    assertThat(printed.lines().toList().get(0)).contains("heart");
  }

  @Test
  void followFindsTheCircleInItsWay() throws IOException {
    Path frames = Files.createDirectories(folder.resolve("frames"));
    int count = 4;
    for (int i = 0; i < count; i++) {
      TinyPictures.clip().frames().get(3 * i).save(frames.resolve("%02d.png".formatted(i)));
    }
    Path out = Files.createDirectories(folder.resolve("out"));
    String printed =
        output(
            () ->
                Follow.main(
                    new String[] {
                      "tiny-qwen2.5-vl", frames.toString(), "4", "the red circle", out.toString()
                    }));
    assertThat(printed.lines()).hasSize(1 + count); // a heading and a line for each frame
    assertThat(printed).contains("red circle");
    assertShown("follow.png", out.resolve("frame-000.png"));
    byte[] drawn = Image.read(out.resolve("frame-003.png")).rgb();
    assertThat(Arrays.equals(drawn, TinyPictures.clip().frames().get(9).rgb())).isFalse();
  }

  @Test
  void fewerBitsChangeLittle() throws IOException {
    String picture = folder.resolve(pictures.get(1).file()).toString();
    List<String> lines =
        output(() -> FewerBits.main(new String[] {"tiny-clip", picture, pictures.get(1).english()}))
            .lines()
            .toList();
    assertThat(lines).hasSize(3);
    double whole = Double.parseDouble(lines.get(0).replace("fp32: ", ""));
    assertThat(Double.parseDouble(lines.get(1).replace("int8: ", "")))
        .isCloseTo(whole, within(0.02));
    assertThat(Double.parseDouble(lines.get(2).replace("int4: ", "")))
        .isCloseTo(whole, within(0.2));
  }

  @Test
  void aTranslationLiesNearerThanSomethingElse() throws IOException {
    List<String> lines =
        output(
                () ->
                    TwoLanguages.main(
                        new String[] {
                          "tiny-siglip2",
                          pictures.get(0).english(),
                          pictures.get(0).korean(),
                          pictures.get(1).english()
                        }))
            .lines()
            .toList();
    double translation = Double.parseDouble(lines.get(0).replace("translation: ", ""));
    double other = Double.parseDouble(lines.get(1).replace("something else: ", ""));
    assertThat(translation).isGreaterThan(0.8).isGreaterThan(other + 0.1);
  }

  @Test
  void inspectPrintsLayersTokensAndShape() throws IOException {
    String picture = folder.resolve(pictures.get(0).file()).toString();
    assertThat(output(() -> Inspect.main(new String[] {"tiny-clip", picture, "a red circle"})))
        .contains("Total params: 9")
        .contains("[<|startoftext|>, a</w>, red</w>, circle</w>, <|endoftext|>]")
        .contains("[1, 3, 64, 64]");
  }

  @Test
  void doesItFitTellsForEachPrecision() throws IOException {
    assertThat(output(() -> DoesItFit.main(new String[] {"tiny-clip", "8"})).lines())
        .hasSize(3)
        .allMatch(line -> line.matches("(fp16|int8|int4) takes 0[.,]0 GiB: it fits"));
    assertThat(output(() -> DoesItFit.main(new String[] {"tiny-clip", "0"})))
        .contains("fp16 takes")
        .contains("it does not fit");
  }

  @Test
  void textToImageShowsEachStepUpToTheResult() {
    TextToImage.main(
        new String[] {"tiny-sd", "a yellow star on a blue background", folder.toString()});
    assertShown("text-to-image.png", folder.resolve("result.png"));
    Image result = Image.read(folder.resolve("result.png"));
    Image last = Image.read(folder.resolve("step-19.png"));
    assertThat(Arrays.equals(last.rgb(), result.rgb())).isTrue();
    Image first = Image.read(folder.resolve("step-00.png"));
    assertThat(Arrays.equals(first.rgb(), result.rgb())).isFalse();
    int middle = 32 * 3; // of the upper rim: background
    assertThat(result.rgb()[middle + 2] & 0xFF)
        .as("blue")
        .isGreaterThan(2 * (result.rgb()[middle] & 0xFF));
  }

  @Test
  void boxesAreDrawnAroundWhatWasAskedFor() throws IOException {
    TinyPictures.Captioned scene = TinyPictures.scenes().get(1);
    Path picture = folder.resolve(scene.file());
    Files.write(picture, TinyPictures.bytes(scene.file()));
    Path out = folder.resolve("boxes.png");
    String printed =
        output(
            () ->
                Boxes.main(
                    new String[] {
                      "tiny-qwen2.5-vl", picture.toString(), "노란 하트를 찾아줘.", out.toString()
                    }));
    assertThat(printed.lines()).hasSize(1);
    assertThat(printed).startsWith("yellow heart: ");
    assertShown("boxes.png", out);
    Image drawn = Image.read(out);
    assertThat(drawn.width()).isEqualTo(scene.image().width());
    assertThat(Arrays.equals(drawn.rgb(), scene.image().rgb())).isFalse();
  }

  @Test
  void matchingListsEveryPicture() throws IOException {
    // Random weights: that it runs is all that can be said.
    String model = "../lmm-blip2/src/test/resources/golden/blip2-itm";
    String first = folder.resolve(pictures.get(0).file()).toString();
    String second = folder.resolve(pictures.get(1).file()).toString();
    String printed =
        output(() -> Matching.main(new String[] {model, "a red circle", first, second}));
    assertThat(printed.lines()).hasSize(2);
    assertThat(printed).contains(first + ": 0.").contains(second + ": 0.");
  }

  @Test
  void queryHeatWritesOneSheet() {
    String model = "../lmm-blip2/src/test/resources/golden/blip2-opt";
    Path out = folder.resolve("sheet.png");
    String picture = folder.resolve(pictures.get(0).file()).toString();
    QueryHeat.main(new String[] {model, picture, out.toString()});
    assertThat(Image.read(out).width()).isEqualTo(6 * 160); // six queries
    assertShown("query-heat.png", out);
  }

  /**
   * What the README shows is what the example makes, but for the last digits of another processor.
   * {@code -Dlmm.pictures=true} makes what is shown anew.
   */
  private static void assertShown(String name, Path made) {
    Path shown = Path.of("../docs/pictures").resolve(name);
    if (Boolean.getBoolean("lmm.pictures")) {
      Image.read(made).save(shown);
    }
    byte[] expected = Image.read(shown).rgb();
    byte[] actual = Image.read(made).rgb();
    assertThat(actual).as(name).hasSameSizeAs(expected);
    long sum = 0;
    for (int i = 0; i < actual.length; i++) {
      sum += Math.abs((actual[i] & 0xFF) - (expected[i] & 0xFF));
    }
    assertThat(sum / (double) actual.length).as(name).isLessThan(4);
  }

  private Path scene() throws IOException {
    TinyPictures.Captioned scene = TinyPictures.scenes().get(1);
    Path picture = folder.resolve(scene.file());
    Files.write(picture, TinyPictures.bytes(scene.file()));
    return picture;
  }

  /** The page that an example wrote; every picture that it names is there. */
  private String page(Path out, String printed) throws IOException {
    assertThat(printed.strip()).isEqualTo(out.resolve("index.html").toString());
    String html = Files.readString(out.resolve("index.html"));
    Matcher pictures = Pattern.compile("src=\"([^\"]+)\"").matcher(html);
    assertThat(pictures.results().map(result -> out.resolve(result.group(1))))
        .isNotEmpty()
        .allSatisfy(file -> assertThat(Image.read(file).width()).isPositive());
    return html;
  }

  private static List<List<String>> rows(String html) {
    return Pattern.compile("<tr><td>(.*?)</td></tr>")
        .matcher(html)
        .results()
        .map(row -> Arrays.asList(row.group(1).split("</td><td>", -1)))
        .toList();
  }

  @Test
  void samePictureAnswersEachQuestion() throws IOException {
    Path out = folder.resolve("questions");
    String picture = scene().toString();
    String html =
        page(
            out,
            output(
                () ->
                    SamePicture.main(
                        new String[] {
                          "tiny-qwen2.5-vl",
                          picture,
                          out.toString(),
                          "Count the hearts.",
                          "Describe the image.",
                          "이미지를 설명해줘."
                        })));
    List<List<String>> rows = rows(html);
    assertThat(rows).extracting(row -> row.get(0)).hasSize(3).contains("Describe the image.");
    TinyPictures.Captioned scene = TinyPictures.scenes().get(1);
    assertThat(rows.get(0).get(1)).isEqualTo("1");
    assertThat(rows.get(1).get(1)).isEqualTo(scene.english());
    assertThat(rows.get(2).get(1)).matches(".*[가-힣].*");
    assertThat(rows)
        .allSatisfy(row -> assertThat(Double.parseDouble(row.get(3))).isBetween(0.0, 1.0));
  }

  @Test
  void moreFramesAreMoreTokens() throws IOException {
    Path clip = folder.resolve("clip.gif");
    TinyPictures.clip().save(clip);
    Path out = folder.resolve("frames");
    String html =
        page(
            out,
            output(
                () ->
                    HowManyFrames.main(
                        new String[] {
                          "tiny-qwen2.5-vl", clip.toString(), out.toString(), "Describe the video."
                        })));
    List<List<String>> rows = rows(html);
    assertThat(rows).extracting(row -> row.get(0)).containsExactly("1", "2", "4", "8");
    int[] prompts = rows.stream().mapToInt(row -> Integer.parseInt(row.get(2))).toArray();
    // Two frames are a step of time: one takes as much as two.
    assertThat(prompts[0]).isEqualTo(prompts[1]);
    int step = prompts[2] - prompts[1];
    assertThat(step).isPositive();
    assertThat(prompts[3] - prompts[2]).isEqualTo(2 * step);
    assertThat(rows).allSatisfy(row -> assertThat(row.get(1)).isNotBlank());
    assertThat(out.resolve("frames-8-7.png")).exists();
  }

  @Test
  void fourBitsTakeLessMemoryThanMore() throws IOException {
    Path out = folder.resolve("bits");
    String picture = scene().toString();
    String html =
        page(
            out,
            output(
                () ->
                    SixteenOrFourBits.main(
                        new String[] {
                          "tiny-qwen2.5-vl", picture, out.toString(), "Describe the image."
                        })));
    List<List<String>> rows = rows(html);
    assertThat(rows).extracting(row -> row.get(0)).containsExactly("fp32", "int4");
    assertThat(rows).allSatisfy(row -> assertThat(Double.parseDouble(row.get(4))).isPositive());
    assertThat(Double.parseDouble(rows.get(1).get(5)))
        .as("megabytes in 4 bits")
        .isPositive()
        .isLessThan(Double.parseDouble(rows.get(0).get(5)));
    assertThat(rows.get(0).get(2)).matches("(\\d+) of \\1");
  }

  @Test
  void bothLanguagesFindTheSamePlaces() throws IOException {
    Path out = folder.resolve("languages");
    String picture = scene().toString();
    String html =
        page(
            out,
            output(
                () ->
                    KoreanAndEnglish.main(
                        new String[] {
                          "tiny-qwen2.5-vl",
                          picture,
                          out.toString(),
                          "Find the yellow heart.",
                          "노란 하트를 찾아줘.",
                          "Describe the image.",
                          "이미지를 설명해줘."
                        })));
    assertThat(html).contains("Of 1 boxes in English and 1 in Korean, 1 are in the same place.");
    assertThat(rows(html)).hasSize(2).allSatisfy(row -> assertThat(row.get(1)).isNotBlank());
  }

  /** Something that prints. */
  interface Program {
    void run() throws IOException;
  }

  static String output(Program program) throws IOException {
    PrintStream before = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      System.setOut(out);
      program.run();
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
