package dev.lmm.tiny;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Box;
import dev.lmm.Image;
import dev.lmm.Located;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Region;
import dev.lmm.Tracked;
import dev.lmm.Video;
import dev.lmm.core.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/**
 * Scenes nobody was trained on. Answers are transformers', word for word; how good they are is
 * counted. The whole measurement is reference/tiny/evaluate_qwen.py, which wrote the file.
 */
class TinyQwenVlTest {
  private static final Path ROOT = Path.of("src/test/resources/heldout");
  private static final List<Json> SCENES =
      Json.parse(ROOT.resolve("qwen.json")).at("scenes").elements();
  private static final Model MODEL = Models.load("tiny-qwen2.5-vl");

  @AfterAll
  static void close() {
    MODEL.close();
  }

  private static void each(BiConsumer<Image, Json> use) {
    for (Json scene : SCENES) {
      Image picture = Image.read(ROOT.resolve("qwen").resolve(scene.stringAt("picture")));
      scene.at("asked").elements().forEach(asked -> use.accept(picture, asked));
    }
  }

  @Test
  void answersAsTransformersDoes() {
    assertThat(SCENES).hasSize(16);
    List<String> differences = new ArrayList<>();
    Map<String, Integer> right = new HashMap<>();
    each(
        (picture, asked) -> {
          String task = asked.stringAt("task");
          String answer = MODEL.chat().ask(asked.stringAt("question")).image(picture).run().text();
          if (!answer.equals(asked.stringAt("answer"))) {
            differences.add(asked.stringAt("question") + ": " + answer);
          }
          right.merge(task, answer.equals(asked.stringAt("expected")) ? 1 : 0, Integer::sum);
        });
    assertThat(differences).isEmpty();
    // Of 16 absent things and 32 counts.
    assertThat(right.get("absent")).isGreaterThanOrEqualTo(15);
    assertThat(right.get("count")).isGreaterThanOrEqualTo(24);
  }

  @Test
  void findsWhatIsThereInPixelsOfThePicture() {
    int[] things = new int[2];
    each(
        (picture, asked) -> {
          if (!asked.stringAt("task").equals("locate")) {
            return;
          }
          Located located = MODEL.grounder().locate(picture, asked.stringAt("question")).run();
          for (Json box : asked.at("boxes").elements()) {
            double[] side = box.doubles();
            Box wanted = new Box(side[0], side[1], side[2], side[3]);
            things[0]++;
            if (located.regions().stream().map(Region::box).anyMatch(b -> wanted.iou(b) >= 0.5)) {
              things[1]++;
            }
          }
        });
    assertThat(things[0]).isEqualTo(38);
    assertThat(things[1]).as("found of 38").isGreaterThanOrEqualTo(34);
  }

  @Test
  void followsAMovingThing() {
    Video clip = TinyPictures.clip();
    Tracked tracked = MODEL.grounder().track(clip, "빨간 원을 찾아줘.").run();
    assertThat(tracked.tracks()).hasSize(1);
    Tracked.Track track = tracked.tracks().get(0);
    assertThat(track.label()).isEqualTo("red circle");
    assertThat(track.places())
        .extracting(Tracked.Place::index)
        .containsExactlyElementsOf(IntStream.range(0, 12).boxed().toList());
    // From the left, 6 to 50, to the right, 172 to 216.
    Box first = track.places().get(0).box();
    Box last = track.places().get(11).box();
    assertThat(first.iou(new Box(6, 60, 50, 104))).isGreaterThan(0.5);
    assertThat(last.iou(new Box(172, 56, 216, 100))).isGreaterThan(0.5);
  }
}
