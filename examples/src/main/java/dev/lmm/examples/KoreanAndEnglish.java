package dev.lmm.examples;

import dev.lmm.Box;
import dev.lmm.Image;
import dev.lmm.Located;
import dev.lmm.Model;
import dev.lmm.Models;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The same questions in Korean and in English: what is answered, and where things are found. */
public final class KoreanAndEnglish {
  private KoreanAndEnglish() {}

  /**
   * Writes a page.
   *
   * @param arguments model, picture, folder of the page, what to look for in English, the same in
   *     Korean, then pairs of questions (one if none are given)
   */
  public static void main(String[] arguments) {
    Image photo = Image.read(Path.of(arguments[1]));
    List<String> questions =
        arguments.length > 5
            ? Arrays.asList(arguments).subList(5, arguments.length)
            : List.of("Describe the image.", "이미지를 설명해줘.");
    Page page = new Page(Path.of(arguments[2]), "Korean against English");
    page.text(arguments[0]);
    try (Model model = Models.load(arguments[0])) {
      Located english = model.grounder().locate(photo, arguments[3]).run();
      Located korean = model.grounder().locate(photo, arguments[4]).run();
      page.picture(english.draw(photo), "english.png", arguments[3]);
      page.picture(korean.draw(photo), "korean.png", arguments[4]);
      page.text(
          "Of "
              + english.regions().size()
              + " boxes in English and "
              + korean.regions().size()
              + " in Korean, "
              + shared(english, korean)
              + " are in the same place.");
      page.table("question", "answer", "tokens", "how sure", "seconds");
      for (String question : questions) {
        Timed timed = Timed.of(model.chat().ask(question).image(photo).maxTokens(128));
        page.row(
            question,
            timed.answer().text(),
            Integer.toString(timed.answer().tokens().size()),
            Page.number(timed.sureness()),
            Page.number(timed.seconds()));
      }
    }
    page.endTable().write();
  }

  /** Boxes of the one that overlap one of the other by half or more. */
  private static long shared(Located a, Located b) {
    return a.regions().stream()
        .filter(
            one -> {
              Box box = one.box();
              return box != null
                  && b.regions().stream()
                      .anyMatch(
                          other -> {
                            Box its = other.box();
                            return its != null && its.iou(box) >= 0.5;
                          });
            })
        .count();
  }
}
