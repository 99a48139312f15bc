package dev.lmm.cli;

import dev.lmm.Captioner;
import dev.lmm.Image;
import dev.lmm.Model;
import dev.lmm.QueryMaps;
import dev.lmm.tiny.TinyPictures;
import dev.lmm.tiny.TinyPictures.Captioned;
import java.nio.file.Path;
import java.util.List;

/** The part of the gallery that shows what a captioner says, and where its queries look. */
final class CaptionGallery {
  private static final String PROMPT = "그림 설명:";

  private final Path folder;
  private final String id;
  private final Model model;
  private final List<Captioned> pictures = TinyPictures.all();

  /**
   * Makes the part.
   *
   * @param folder where pictures go; there already
   * @param id of the model
   * @param model writes about pictures
   */
  CaptionGallery(Path folder, String id, Model model) {
    this.folder = folder;
    this.id = id;
    this.model = model;
  }

  void write(Html page) {
    captions(page);
    questions(page);
    queries(page);
  }

  private void captions(Html page) {
    Captioner captioner = model.captioner();
    List<Image> images = pictures.stream().map(Captioned::image).toList();
    List<String> alone =
        captioner.captions(images).run().stream().map(caption -> caption.text()).toList();
    List<String> prompted =
        captioner.captions(images).each(request -> request.prompt(PROMPT)).run().stream()
            .map(caption -> caption.text())
            .toList();
    page.add("<section id=\"captions\"><h2>What is in the picture?</h2>")
        .add(
            "<p>%s describes each picture without a prompt, and again after the prompt “%s”.</p><div"
                + " class=\"hits wrap\">",
            id, PROMPT);
    for (int i = 0; i < images.size(); i++) {
      page.add(
          "<figure class=\"scene\"><img src=\"pictures/%s\" alt=\"%s\">%s<br>%s</figure>",
          pictures.get(i).file(), pictures.get(i).english(), alone.get(i), prompted.get(i));
    }
    page.add("</div>")
        .code(
            """
            try (Captioner captioner = Models.captioner("%s").load()) {
              String text = captioner.caption(picture).run().text();
              String more = captioner.caption(picture).prompt("%s").run().text();
            }
            """
                .formatted(id, PROMPT))
        .add("</section>");
  }

  private void questions(Html page) {
    Captioned subject = pictures.get(3);
    page.add("<section id=\"questions\"><h2>Questions about a picture, answered in words</h2>")
        .add(
            "<div class=\"subject\"><img src=\"pictures/%s\" alt=\"%s\"><table>",
            subject.file(), subject.english());
    for (String question :
        new String[] {
          "how many shapes are there?",
          "도형은 몇 개 있나요?",
          "what colour is the circle?",
          "사각형은 무슨 색인가요?",
          "what shape is on the left?",
          "오른쪽에 무엇이 있나요?",
          "where is the green circle?",
          "주황 사각형은 어디에 있나요?",
          "배경은 무슨 색인가요?"
        }) {
      page.add(
          "<tr><td>%s</td><td><b>%s</b></td></tr>",
          question, model.captioner().ask(subject.image(), question).run().text());
    }
    page.add("</table></div>")
        .code(
            """
            String answer = captioner.ask(picture, "what colour is the circle?").run().text();
            """)
        .add("</section>");
  }

  private void queries(Html page) {
    Captioned subject = pictures.get(2);
    Image picture = subject.image();
    QueryMaps maps = model.queries().look(picture).run();
    maps.sheet(picture).save(folder.resolve("queries.png"));
    page.add("<section id=\"queries\"><h2>Where each query looks</h2>")
        .add(
            "<p>All that the language model learns of a picture comes through %d queries. Bright is"
                + " what a query attends to: the mean over the layers and heads that look at the"
                + " picture.</p>",
            maps.queries())
        .add(
            "<div class=\"scroll\"><img class=\"sheet\" src=\"pictures/queries.png\" alt=\"%s under"
                + " the attention of each query\"></div>",
            subject.english())
        .code(
            """
            try (Model model = Models.load("%s")) {
              QueryMaps maps = model.queries().look(picture).run();
              maps.sheet(picture).save(file);
            }
            """
                .formatted(id))
        .add("</section>");
  }
}
