package dev.lmm.examples;

import dev.lmm.Conversation;
import dev.lmm.Image;
import dev.lmm.Model;
import dev.lmm.Models;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** One picture, different questions: what is asked decides what is seen. */
public final class SamePicture {
  private SamePicture() {}

  /**
   * Writes a page. The picture is looked at once, whatever the number of questions.
   *
   * @param arguments model, picture, folder of the page, questions (some if none are given)
   */
  public static void main(String[] arguments) {
    Image photo = Image.read(Path.of(arguments[1]));
    List<String> questions =
        arguments.length > 3
            ? Arrays.asList(arguments).subList(3, arguments.length)
            : List.of(
                "Describe the image.",
                "How many things are there?",
                "What colours do you see?",
                "What is in the middle?");
    Page page = new Page(Path.of(arguments[2]), "One picture, different questions");
    page.text(arguments[0]).picture(photo, "picture.png", arguments[1]);
    page.table("question", "answer", "tokens", "how sure", "seconds");
    try (Model model = Models.load(arguments[0])) {
      for (String question : questions) {
        try (Conversation talk = model.chat().conversation()) {
          Timed timed = Timed.of(talk.ask(question).image(photo).maxTokens(128));
          page.row(
              question,
              timed.answer().text(),
              timed.answer().tokens().size(),
              timed.sureness(),
              timed.seconds());
        }
      }
    }
    page.endTable().write();
  }
}
