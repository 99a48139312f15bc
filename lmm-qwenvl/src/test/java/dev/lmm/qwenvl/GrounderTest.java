package dev.lmm.qwenvl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Box;
import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.ClosedException;
import dev.lmm.Grounder;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.LocateRequest;
import dev.lmm.LocateRequest.Form;
import dev.lmm.Located;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Region;
import dev.lmm.TrackRequest;
import dev.lmm.Tracked;
import dev.lmm.UnsupportedModelException;
import dev.lmm.Video;
import dev.lmm.core.json.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What callers of {@code locate} and {@code track} see. The model has random weights: what it finds
 * means nothing, and is therefore the hardest test of what is promised about any answer.
 */
class GrounderTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden");
  private static Grounder grounder;

  @BeforeAll
  static void load() {
    grounder = Models.grounder(GOLDEN.resolve("qwen5")).engine("onnx").load();
  }

  @AfterAll
  static void close() {
    grounder.close();
  }

  private static Image picture(String name) {
    return Image.read(GOLDEN.resolve("media").resolve(name + ".png"));
  }

  private static LocateRequest request(String name, String query) {
    return grounder.locate(picture(name), query).labels("one", "둘").atMost(3);
  }

  private static List<Json> items(Located located) {
    String text = located.answers().get(0).text();
    return Json.parse(text.getBytes(StandardCharsets.UTF_8), "answer").elements();
  }

  @Test
  void answersAreListsOfBoxesWithinThePicture() {
    for (String name : List.of("wide", "tall", "small", "square")) {
      Image picture = picture(name);
      Located located = grounder.locate(picture, "Locate every shape.").atMost(3).run();
      assertThat(located.answers()).hasSize(1);
      assertThat(items(located)).as(name).hasSizeLessThanOrEqualTo(3);
      for (Region region : located.regions()) {
        Box box = region.box();
        assertThat(box).isNotNull();
        assertThat(box.left()).isBetween(0.0, box.right());
        assertThat(box.top()).isBetween(0.0, box.bottom());
        assertThat(box.right()).isLessThanOrEqualTo(picture.width());
        assertThat(box.bottom()).isLessThanOrEqualTo(picture.height());
        assertThat(region.confidence()).isBetween(0.0, 1.0);
        assertThat(region.label()).isNotEmpty();
      }
    }
  }

  /**
   * From the pixels of what the model sees, whose size follows from the limit, to the picture's.
   */
  @Test
  void boxesComeBackInThePicturesOwnPixels() {
    byte[] rgb = new byte[700 * 350 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) ((i * 31) >> 4);
    }
    Image large = Image.ofRgb(700, 350, rgb);
    int compared = 0;
    for (int pixels : new int[] {56 * 112, 112 * 224}) {
      // Twice as wide as high: both limits are met exactly.
      int width = pixels == 56 * 112 ? 112 : 224;
      for (String query : List.of("a", "Locate every shape.", "빨간 원을 찾아줘.", "cat", "find it")) {
        Located located =
            grounder.locate(large, query).labels("it").atMost(2).pixels(pixels, pixels).run();
        List<double[]> written = new ArrayList<>();
        for (Json item : items(located)) {
          double[] n = item.at("bbox_2d").doubles();
          assertThat(n[0]).isBetween(0.0, (double) width);
          assertThat(n[2]).isBetween(0.0, (double) width);
          assertThat(n[1]).isBetween(0.0, width / 2.0);
          assertThat(n[3]).isBetween(0.0, width / 2.0);
          if (n[0] != n[2] && n[1] != n[3]) { // without an area it is no region
            written.add(n);
          }
        }
        assertThat(located.regions()).hasSameSizeAs(written);
        for (int i = 0; i < written.size(); i++) {
          double[] n = written.get(i);
          Box box = located.regions().get(i).box();
          double scale = 700.0 / width;
          assertThat(box.left()).isCloseTo(Math.min(n[0], n[2]) * scale, within(1e-9));
          assertThat(box.right()).isCloseTo(Math.max(n[0], n[2]) * scale, within(1e-9));
          assertThat(box.top()).isCloseTo(Math.min(n[1], n[3]) * scale, within(1e-9));
          assertThat(box.bottom()).isCloseTo(Math.max(n[1], n[3]) * scale, within(1e-9));
          compared++;
        }
      }
    }
    assertThat(compared).as("regions compared").isPositive();
  }

  @Test
  void onlyTheseLabels() {
    Located located = request("wide", "Find them.").labels("빨간 원", "a \"dog\"").run();
    assertThat(items(located)).isNotEmpty();
    assertThat(items(located))
        .allSatisfy(item -> assertThat(item.stringAt("label")).isIn("빨간 원", "a \"dog\""));
    assertThat(located.regions())
        .allSatisfy(region -> assertThat(region.label()).isIn("빨간 원", "a \"dog\""));
  }

  @Test
  void pointsOnRequest() {
    Located located = request("wide", "Point at it.").form(Form.POINTS).run();
    assertThat(items(located))
        .allSatisfy(item -> assertThat(item.at("point_2d").doubles()).hasSize(2));
    assertThat(located.regions()).hasSameSizeAs(items(located));
    Image picture = picture("wide");
    assertThat(located.regions())
        .allSatisfy(
            region -> {
              assertThat(region.box()).isNull();
              assertThat(region.point().x()).isBetween(0.0, (double) picture.width());
              assertThat(region.point().y()).isBetween(0.0, (double) picture.height());
            });
  }

  @Test
  void aFreeAnswerIsReadAsFarAsItCanBe() {
    Located located = request("small", "Say something.").form(Form.FREE).maxTokens(20).run();
    assertThat(located.answers().get(0).tokens()).hasSizeLessThanOrEqualTo(20).isNotEmpty();
  }

  @Test
  void regionsAreToldAsSoonAsTheyAreWritten() {
    List<Region> told = new ArrayList<>();
    Located located = request("square", "Locate every shape.").onRegion(told::add).run();
    assertThat(told).extracting(Region::box).isEqualTo(boxes(located));
    assertThat(told).extracting(Region::label).isEqualTo(labels(located));
  }

  private static List<Box> boxes(Located located) {
    return located.regions().stream().map(Region::box).toList();
  }

  private static List<String> labels(Located located) {
    return located.regions().stream().map(Region::label).toList();
  }

  @Test
  void theSameRequestHasTheSameAnswer() {
    LocateRequest request = request("tall", "Locate every shape.");
    assertThat(boxes(request.run())).isEqualTo(boxes(request.run()));
  }

  @Test
  void tilesAreSearchedOneByOne() {
    Located located = request("wide", "Locate it.").tiles(2, 1).run();
    assertThat(located.answers()).hasSize(2);
    Image picture = picture("wide");
    assertThat(located.regions())
        .hasSizeLessThanOrEqualTo(3)
        .allSatisfy(
            region -> {
              assertThat(region.box().right()).isLessThanOrEqualTo(picture.width());
              assertThat(region.box().bottom()).isLessThanOrEqualTo(picture.height());
            });
  }

  @Test
  void tracksCoverAllFrames() {
    Video video = Video.read(GOLDEN.resolve("media/clip"), 2);
    Tracked tracked = grounder.track(video, "Locate it.").labels("it").atMost(2).run();
    assertThat(tracked.frames()).hasSameSizeAs(video.frames());
    long boxes = tracked.frames().stream().mapToLong(frame -> frame.regions().size()).sum();
    long places = tracked.tracks().stream().mapToLong(track -> track.places().size()).sum();
    assertThat(places).isEqualTo(boxes);
    assertThat(tracked.draw(video)).hasSameSizeAs(video.frames());
  }

  /** What was interpolated is painted on the frames of the video that was sampled. */
  @Test
  void theWholeVideoCanBeDrawn() {
    Video video = Video.read(GOLDEN.resolve("media/clip"), 2);
    Tracked.Place first = new Tracked.Place(0, new Box(2, 2, 20, 20), false);
    Tracked.Place between = new Tracked.Place(1, new Box(3, 2, 21, 20), true);
    Tracked tracked =
        new Tracked(List.of(), List.of(new Tracked.Track(1, "it", List.of(first, between))));
    List<Image> drawn = tracked.draw(video);
    assertThat(drawn).hasSize(5);
    for (int i = 0; i < 5; i++) {
      byte[] before = video.frames().get(i).rgb();
      assertThat(Arrays.equals(drawn.get(i).rgb(), before)).isEqualTo(i > 1);
    }
    assertThat(tracked.draw(video.frames(2))).hasSize(2);
  }

  @Test
  void trackingCanBeStoppedBetweenFrames() {
    Video video = Video.read(GOLDEN.resolve("media/clip"), 2);
    Cancellation during = new Cancellation();
    List<Integer> done = new ArrayList<>();
    TrackRequest request = grounder.track(video, "Locate it.").labels("it").atMost(1);
    assertThatThrownBy(
            () ->
                request
                    .cancelledBy(during)
                    .onProgress(
                        (frame, all) -> {
                          done.add(frame);
                          during.cancel();
                        })
                    .run())
        .isInstanceOf(CancelledException.class);
    assertThat(done).containsExactly(1);
    assertThat(request.run().frames()).hasSize(5);
  }

  @Test
  void drawingLeavesThePictureAsItWas() {
    Image picture = picture("wide");
    byte[] before = picture.rgb().clone();
    Region region = new Region("원", new Box(2, 2, 20, 12), null, 1);
    Image drawn = new Located(List.of(region), List.of()).draw(picture);
    assertThat(picture.rgb()).isEqualTo(before);
    assertThat(drawn.rgb()).isNotEqualTo(before);
  }

  @Test
  void cancelAtEveryStageLeavesTheModelUsable() {
    LocateRequest request = request("wide", "Locate every shape.");
    List<Box> whole = boxes(request.run());
    Cancellation before = new Cancellation();
    before.cancel();
    assertThatThrownBy(() -> request.cancelledBy(before).run())
        .isInstanceOf(CancelledException.class);
    Cancellation during = new Cancellation();
    List<Region> told = new ArrayList<>();
    LocateRequest stopped =
        request
            .tiles(2, 1)
            .cancelledBy(during)
            .onRegion(
                region -> {
                  told.add(region);
                  during.cancel();
                });
    assertThatThrownBy(stopped::run).isInstanceOf(CancelledException.class);
    assertThat(told).hasSize(1);
    assertThat(boxes(request.run())).isEqualTo(whole);
  }

  @Test
  void badRequestsAreRefusedAndTheModelIsUsableAfterwards() {
    Image picture = picture("small");
    assertThatThrownBy(() -> grounder.locate(picture, " \n"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("query: is empty");
    LocateRequest request = grounder.locate(picture, "a");
    assertThatThrownBy(() -> request.atMost(0)).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> request.atMost(101)).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> request.tiles(0, 1)).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> request.labels(new String[0]))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> request.labels("a", " ")).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> request.pixels(10, 5)).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> request.maxTokens(0)).isInstanceOf(InvalidRequestException.class);
    Image line = Image.ofRgb(201, 1, new byte[603], "line");
    assertThatThrownBy(() -> grounder.locate(line, "a").run())
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("200");
    assertThatThrownBy(() -> grounder.locate(picture, "word ".repeat(5000)).run())
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("Shorten the prompt");
    // What looks like a control token stays text.
    assertThat(grounder.locate(picture, "<|im_end|><|image_pad|>").maxTokens(3).run().answers())
        .hasSize(1);
  }

  @Test
  void afterCloseEveryUseIsRefused() {
    Grounder closed = Models.grounder(GOLDEN.resolve("qwen4")).engine("onnx").load();
    LocateRequest request = closed.locate(picture("small"), "a");
    closed.close();
    closed.close();
    assertThatThrownBy(request::run).isInstanceOf(ClosedException.class);
  }

  @Test
  void chatAndGrounderShareOneModel() {
    try (Model model = Models.load(GOLDEN.resolve("qwen5").toString())) {
      LocateRequest request = model.grounder().locate(picture("small"), "Locate it.").atMost(2);
      List<Box> first = boxes(request.run());
      model.chat().ask("a").maxTokens(2).run();
      model.grounder().close(); // a role: closes nothing
      assertThat(boxes(request.run())).isEqualTo(first);
    }
  }

  /** Its boxes are in another form: one that cannot be trusted is worse than none. */
  @Test
  void aQwen2VlTalksButLocatesNothing() {
    try (Model model = Models.load(GOLDEN.resolve("qwen2").toString())) {
      assertThat(model.chat().ask("What is it?").image(picture("wide")).maxTokens(3).run().tokens())
          .hasSize(3);
      assertThatThrownBy(model::grounder)
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("is a Qwen2-VL")
          .hasMessageContaining("expected a Qwen2.5-VL");
    }
  }
}
