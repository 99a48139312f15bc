package dev.lmm.cli;

import dev.lmm.Box;
import dev.lmm.Image;
import dev.lmm.Located;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Precision;
import dev.lmm.Region;
import dev.lmm.Tracked;
import dev.lmm.Video;
import dev.lmm.tiny.TinyPictures;
import dev.lmm.tiny.TinyPictures.Captioned;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The part of the gallery that shows what a model finds in pictures and videos and says of them.
 */
final class GroundingGallery {
  private static final String FIND_ALL = "Find all shapes.";

  private final Path folder;
  private final String id;
  private final Model model;
  private final List<Captioned> scenes = TinyPictures.scenes();

  /**
   * Makes the part.
   *
   * @param folder where pictures go; there already
   * @param id of the model
   * @param model chats and grounds
   */
  GroundingGallery(Path folder, String id, Model model) {
    this.folder = folder;
    this.id = id;
    this.model = model;
  }

  void write(Html page) {
    boxes(page);
    answers(page);
    track(page);
    precision(page);
  }

  private String save(Image image, String name) {
    image.save(folder.resolve(name));
    return "pictures/" + name;
  }

  private static String list(List<Region> regions) {
    return regions.isEmpty()
        ? "nothing"
        : regions.stream()
            .map(region -> region.label() + place(region.box()))
            .collect(Collectors.joining(", "));
  }

  private static String place(@Nullable Box box) {
    return box == null
        ? ""
        : String.format(
            Locale.ROOT,
            " (%.0f, %.0f to %.0f, %.0f)",
            box.left(),
            box.top(),
            box.right(),
            box.bottom());
  }

  private void boxes(Html page) {
    String[][] questions = {
      {"Find all red shapes.", "파란 사각형을 찾아줘."},
      {"Where is the yellow heart?", "초록 도형을 모두 찾아줘."},
      {FIND_ALL, "빨간 원을 찾아줘."}
    };
    page.add("<section id=\"boxes\"><h2>Boxes around what was asked for</h2>")
        .add(
            "<p>%s answers in words; they become boxes in the picture's own pixels. What is not"
                + " there gets none: the last question asks for a red circle.</p>",
            id)
        .add("<div class=\"hits wrap\">");
    for (int i = 0; i < questions.length; i++) {
      for (String question : questions[i]) {
        Image picture = scenes.get(i).image();
        Located found = model.grounder().locate(picture, question).run();
        String name = "boxes-" + i + (question.equals(questions[i][0]) ? "-en.png" : "-ko.png");
        page.add(
            "<figure class=\"scene\"><img src=\"%s\" alt=\"%s\">%s</figure>",
            save(found.draw(picture), name), list(found.regions()), question);
      }
    }
    page.add("</div>")
        .code(
            """
            try (Grounder grounder = Models.grounder("%s").load()) {
              Located found = grounder.locate(picture, "%s").run();
              found.draw(picture).save(file);
            }
            """
                .formatted(id, questions[0][0]))
        .add("</section>");
  }

  private void answers(Html page) {
    Captioned scene = scenes.get(1);
    page.add("<section id=\"answers\"><h2>Questions about a picture, in two languages</h2>")
        .add("<p>A model of 3.7 MB errs now and then; the large ones answer in the same form.</p>")
        .add(
            "<div class=\"subject\"><img src=\"%s\" alt=\"%s\"><table>",
            save(scene.image(), scene.file()), scene.english());
    for (String question :
        new String[] {
          "Describe the image.",
          "이미지를 설명해줘.",
          "How many green shapes are there?",
          "초록 도형은 몇 개 있나요?",
          "Count the hearts."
        }) {
      page.add(
          "<tr><td>%s</td><td><b>%s</b></td></tr>",
          question, model.chat().ask(question).image(scene.image()).run().text());
    }
    page.add("</table></div>")
        .code(
            """
            try (Chat chat = Models.chat("%s").load()) {
              String answer = chat.ask("Describe the image.").image(picture).run().text();
            }
            """
                .formatted(id))
        .add("</section>");
  }

  private void track(Html page) {
    Video clip = TinyPictures.clip();
    long start = System.nanoTime();
    Tracked tracked = model.grounder().track(clip, "Locate the red circle.").run();
    double seconds = (System.nanoTime() - start) / 1e9;
    List<Image> drawn = tracked.draw(clip);
    clip.withFrames(drawn).save(folder.resolve("track.gif"));
    page.add("<section id=\"track\"><h2>A thing followed through a video</h2>")
        .add(
            "<p>“Locate the red circle.” in %d frames, linked to %d track, in %.1f s. To the right"
                + " the first, a middle and the last frame.</p>",
            drawn.size(), tracked.tracks().size(), seconds)
        .add("<div class=\"hits wrap\">")
        .add(
            "<figure class=\"scene\"><img src=\"pictures/track.gif\" alt=\"the clip with"
                + " boxes\">the clip</figure>");
    for (int i : new int[] {0, drawn.size() / 2, drawn.size() - 1}) {
      page.add(
          "<figure class=\"scene\"><img src=\"%s\" alt=\"frame %d\">frame %d</figure>",
          save(drawn.get(i), "track-" + i + ".png"), i, i);
    }
    page.add("</div>")
        .code(
            """
            Tracked tracked = grounder.track(video, "Locate the red circle.").run();
            Files.writeString(file, tracked.csv());   // or mot(), coco(width, height)
            """)
        .add("</section>");
  }

  private void precision(Html page) {
    Captioned scene = scenes.get(2);
    page.add("<section id=\"precision\"><h2>The same model in fewer bits</h2>")
        .add(
            "<p>Linear layers of the language model in 32, 8 and 4 bits; the tower that sees stays"
                + " as it is at 4. The weights are quantized when they are first asked for.</p>")
        .add("<div class=\"scroll\"><table><tr><th></th><th>it says</th><th>it finds</th></tr>");
    row(page, model, scene);
    for (Precision precision : new Precision[] {Precision.INT8, Precision.INT4}) {
      try (Model fewer = Models.model(id).threads(Gallery.THREADS).precision(precision).load()) {
        row(page, fewer, scene);
      }
    }
    page.add("</table></div>")
        .code(
            """
            Models.grounder("%s").precision(Precision.INT4).load()
            """
                .formatted(id))
        .add("</section>");
  }

  private static void row(Html page, Model each, Captioned scene) {
    page.add(
        "<tr><td>%s</td><td>%s</td><td>%s</td></tr>",
        each.info().precision().label(),
        each.chat().ask("Describe the image.").image(scene.image()).run().text(),
        list(each.grounder().locate(scene.image(), FIND_ALL).run().regions()));
  }
}
