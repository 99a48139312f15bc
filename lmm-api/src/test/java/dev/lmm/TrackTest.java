package dev.lmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Tracks linked from what a grounder, whose answers are known, finds in each frame. */
class TrackTest {
  private static final int WIDTH = 400;
  private static final int HEIGHT = 300;

  /** Finds what it was told about each frame. */
  private static final class Known implements Grounder {
    // Pictures are equal only to themselves.
    private final Map<Image, List<Region>> regions = new HashMap<>();
    private final List<LocateRequest> asked = new ArrayList<>();

    @Override
    public ModelInfo info() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Summary summary() {
      throw new UnsupportedOperationException();
    }

    @Override
    public LocateRequest locate(Image picture, String query) {
      return new LocateRequest(
          picture,
          query,
          request -> {
            asked.add(request);
            return new Located(regions.get(request.picture()), List.of());
          });
    }

    @Override
    public void close() {}
  }

  private final Known grounder = new Known();

  private Video video(List<List<Region>> frames) {
    List<Image> images = new ArrayList<>();
    for (List<Region> regions : frames) {
      Image image = Image.ofRgb(WIDTH, HEIGHT, new byte[WIDTH * HEIGHT * 3]);
      images.add(image);
      grounder.regions.put(image, regions);
    }
    return Video.of(images, 10);
  }

  private static Region box(String label, double x, double y) {
    return new Region(label, new Box(x, y, x + 40, y + 30), null, 0.9);
  }

  private static List<Double> lefts(Tracked.Track track) {
    return track.places().stream().map(place -> place.box().left()).toList();
  }

  @Test
  void whatMovesOnKeepsItsNumber() {
    List<List<Region>> frames = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      // The order in which the model lists them changes.
      Region a = box("car", 20 + 15 * i, 50);
      Region b = box("car", 300 - 10 * i, 200);
      frames.add(i % 2 == 0 ? List.of(a, b) : List.of(b, a));
    }
    Tracked tracked = grounder.track(video(frames), "Locate every car.").run();
    assertThat(tracked.tracks()).hasSize(2);
    assertThat(lefts(tracked.tracks().get(0))).containsExactly(20., 35., 50., 65., 80., 95.);
    assertThat(lefts(tracked.tracks().get(1))).containsExactly(300., 290., 280., 270., 260., 250.);
    assertThat(tracked.frames().get(3).seconds()).isEqualTo(0.3);
  }

  @Test
  void whatCrossesKeepsItsNumber() {
    List<List<Region>> frames = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      Region right = box("person", 20 + 40 * i, 100 + i);
      Region left = box("person", 340 - 40 * i, 108 - i);
      frames.add(i % 2 == 0 ? List.of(left, right) : List.of(right, left));
    }
    Tracked tracked = grounder.track(video(frames), "person").run();
    assertThat(tracked.tracks()).hasSize(2);
    assertThat(lefts(tracked.tracks().get(0))).isSortedAccordingTo((a, b) -> Double.compare(b, a));
    assertThat(lefts(tracked.tracks().get(1))).isSorted();
    assertThat(tracked.tracks()).allMatch(track -> track.places().size() == 9);
  }

  @Test
  void labelsAreNeverMixed() {
    List<List<Region>> frames =
        List.of(List.of(box("cat", 50, 50)), List.of(box("dog", 50, 50)), List.of());
    Tracked tracked = grounder.track(video(frames), "animals").run();
    assertThat(tracked.tracks()).extracting(Tracked.Track::label).containsExactly("cat", "dog");
  }

  @Test
  void gapsAreBridgedAsFarAsAllowed() {
    List<List<Region>> frames = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      frames.add(i == 3 || i == 4 ? List.of() : List.of(box("ball", 20 + 20 * i, 60)));
    }
    Video video = video(frames);
    Tracked bridged = grounder.track(video, "ball").gap(2).run();
    assertThat(bridged.tracks()).hasSize(1);
    assertThat(bridged.tracks().get(0).places())
        .extracting(Tracked.Place::index)
        .containsExactly(0, 1, 2, 5, 6, 7);
    assertThat(grounder.track(video, "ball").gap(1).run().tracks()).hasSize(2);

    Tracked filled = grounder.track(video, "ball").interpolated().run();
    assertThat(filled.tracks().get(0).places())
        .contains(new Tracked.Place(3, new Box(80, 60, 120, 90), true))
        .hasSize(8);
  }

  @Test
  void framesBetweenTheSampledOnesAreFilledIn() {
    List<List<Region>> frames = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      frames.add(List.of(box("ball", 10 + 6 * i, 10 + 3 * i)));
    }
    Video some = video(frames).frames(3);
    assertThat(some.indices()).containsExactly(0, 3, 6);
    Tracked tracked = grounder.track(some, "ball").interpolated().run();
    assertThat(tracked.frames()).extracting(Tracked.Frame::index).containsExactly(0, 3, 6);
    assertThat(lefts(tracked.tracks().get(0))).containsExactly(10., 16., 22., 28., 34., 40., 46.);
    assertThat(tracked.tracks().get(0).places().get(1).interpolated()).isTrue();
    assertThat(tracked.tracks().get(0).places().get(3).interpolated()).isFalse();
  }

  @Test
  void optionsReachEveryFrame() {
    Video video = video(List.of(List.of(), List.of()));
    List<String> heard = new ArrayList<>();
    Cancellation cancellation = new Cancellation();
    grounder
        .track(video, "사람을 모두 찾아줘.")
        .labels("사람")
        .atMost(3)
        .pixels(100, 5000)
        .cancelledBy(cancellation)
        .onProgress((done, all) -> heard.add(done + "/" + all))
        .run();
    assertThat(heard).containsExactly("1/2", "2/2");
    assertThat(grounder.asked)
        .hasSize(2)
        .allSatisfy(
            request -> {
              assertThat(request.query()).isEqualTo("사람을 모두 찾아줘.");
              assertThat(request.labels()).containsExactly("사람");
              assertThat(request.atMost()).isEqualTo(3);
              assertThat(request.minPixels()).isEqualTo(100);
              assertThat(request.maxPixels()).isEqualTo(5000);
              assertThat(request.cancellation()).isSameAs(cancellation);
            });
  }

  @Test
  void tracksAreWrittenInTheUsualForms() {
    Region quoted = box("a \"red\"\n공", 10, 20);
    Video video = video(List.of(List.of(quoted), List.of(quoted, box("b", 200, 100))));
    Tracked tracked = grounder.track(video, "all").run();
    assertThat(tracked.csv())
        .isEqualTo(
            """
            frame,id,label,left,top,right,bottom,interpolated
            0,1,"a ""red""
            공",10.00,20.00,50.00,50.00,false
            1,1,"a ""red""
            공",10.00,20.00,50.00,50.00,false
            1,2,"b",200.00,100.00,240.00,130.00,false
            """);
    assertThat(tracked.mot())
        .isEqualTo(
            """
            1,1,10.00,20.00,40.00,30.00,1,-1,-1,-1
            2,1,10.00,20.00,40.00,30.00,1,-1,-1,-1
            2,2,200.00,100.00,40.00,30.00,1,-1,-1,-1
            """);
    String regions =
        "{\"label\":\"a \\\"red\\\"\\u000a공\",\"box\":[10.0,20.0,50.0,50.0],\"confidence\":0.9}";
    assertThat(tracked.json())
        .startsWith(
            "{\"frames\":[{\"index\":0,\"seconds\":0.0,\"regions\":["
                + regions
                + "]},{\"index\":1,\"seconds\":0.1,\"regions\":["
                + regions
                + ",{\"label\":\"b\"")
        .endsWith(
            "{\"id\":2,\"label\":\"b\",\"boxes\":[{\"index\":1,\"box\":[200.0,100.0,240.0,130.0],"
                + "\"interpolated\":false}]}]}");
    assertThat(tracked.coco(WIDTH, HEIGHT))
        .contains("{\"id\":1,\"file_name\":\"000001.png\",\"width\":400,\"height\":300}")
        .contains("{\"id\":1,\"name\":\"a \\\"red\\\"\\u000a공\"},{\"id\":2,\"name\":\"b\"}")
        .contains(
            "{\"id\":3,\"image_id\":1,\"category_id\":2,\"bbox\":[200.00,100.00,40.00,30.00],"
                + "\"area\":1200.00,\"iscrowd\":0,\"attributes\":{\"track_id\":2,"
                + "\"interpolated\":false}}");
  }

  @Test
  void badRequestsAreRefused() {
    Video video = video(List.of(List.of()));
    assertThatThrownBy(() -> grounder.track(video, " "))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("query: is empty");
    assertThatThrownBy(() -> grounder.track(video, "a").gap(-1))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("gap: is -1");
    assertThatThrownBy(() -> grounder.track(video, "a").atMost(0))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> grounder.track(video, "a").labels("b", ""))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> new Box(3, 0, 2, 1))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("box: is 3.0");
  }

  @Test
  void boxesOverlapAsFarAsTheyDo() {
    Box box = new Box(0, 0, 10, 10);
    assertThat(box.iou(box)).isEqualTo(1);
    assertThat(box.iou(new Box(5, 0, 15, 10))).isEqualTo(50.0 / 150);
    assertThat(box.iou(new Box(10, 0, 20, 10))).isZero();
  }
}
