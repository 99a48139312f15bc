package dev.lmm.examples;

import dev.lmm.Answer;
import dev.lmm.Box;
import dev.lmm.Image;
import dev.lmm.Located;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Region;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;

/** The same questions in Korean and in English: what is answered, and where things are found. */
public final class KoreanAndEnglish {
  private KoreanAndEnglish() {}

  /**
   * Writes a page.
   *
   * @param arguments model, picture, folder of the page, what to look for in English, the same in
   *     Korean, then questions
   */
  public static void main(String[] arguments) {
    Image photo = Image.read(Path.of(arguments[1]));
    Page page = new Page(Path.of(arguments[2]), "Korean against English");
    page.text(arguments[0]);
    try (Model model = Models.load(arguments[0])) {
      Located english = model.grounder().locate(photo, arguments[3]).run();
      Located korean = model.grounder().locate(photo, arguments[4]).run();
      page.picture(english.draw(photo), "english.png", arguments[3]);
      page.picture(korean.draw(photo), "korean.png", arguments[4]);
      page.text(
          "Of %d boxes in English and %d in Korean, %d are in the same place."
              .formatted(boxes(english).count(), boxes(korean).count(), shared(english, korean)));
      page.table("question", "answer", "tokens", "how sure", "seconds");
      for (String question : Arrays.asList(arguments).subList(5, arguments.length)) {
        Timed timed = Timed.of(model.chat().ask(question).image(photo).maxTokens(128));
        Answer answer = timed.answer();
        page.row(
            question, answer.text(), answer.tokens().size(), timed.sureness(), timed.seconds());
      }
    }
    page.endTable().write();
  }

  /** Boxes of the one that overlap one of the other by half or more. */
  private static long shared(Located a, Located b) {
    return boxes(a).filter(one -> boxes(b).anyMatch(other -> other.iou(one) >= 0.5)).count();
  }

  private static Stream<Box> boxes(Located found) {
    return found.regions().stream().map(Region::box).filter(Objects::nonNull);
  }
}
