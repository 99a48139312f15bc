package dev.lmm.examples;

import dev.lmm.Answer;
import dev.lmm.Image;
import dev.lmm.LoadRequest;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** FP16 against 4 bits: what they answer, how fast, and in how much memory. */
public final class SixteenOrFourBits {
  private SixteenOrFourBits() {}

  /**
   * Writes a page. On a device whose engine does not compute in FP16 (a CPU) the first column is
   * FP32, as the page says; what FP16 would take is told all the same.
   *
   * @param arguments model, picture, folder of the page, questions (some if none are given)
   */
  public static void main(String[] arguments) {
    Image photo = Image.read(Path.of(arguments[1]));
    List<String> questions =
        arguments.length > 3
            ? Arrays.asList(arguments).subList(3, arguments.length)
            : List.of("Describe the image.", "이미지를 설명해줘.");
    Page page = new Page(Path.of(arguments[2]), "Sixteen bits against four");
    page.text(arguments[0]).picture(photo, "picture.png", arguments[1]);
    page.table(
        "precision",
        "question",
        "answer",
        "tokens as at first",
        "how sure",
        "tokens a second",
        "MB");
    List<List<Integer>> first = new ArrayList<>();
    for (Precision wanted : List.of(Precision.FP16, Precision.INT4)) {
      LoadRequest<Model> request =
          Models.model(arguments[0]).precision(usable(arguments[0], wanted));
      long bytes = request.estimate().total();
      try (Model model = request.load()) {
        for (int i = 0; i < questions.size(); i++) {
          Timed timed = Timed.of(model.chat().ask(questions.get(i)).image(photo).maxTokens(128));
          List<Integer> tokens = timed.answer().tokens().stream().map(Answer.Token::id).toList();
          if (first.size() == i) {
            first.add(tokens);
          }
          page.row(
              model.info().precision().label(),
              questions.get(i),
              timed.answer().text(),
              same(tokens, first.get(i)) + " of " + first.get(i).size(),
              Page.number(timed.sureness()),
              Page.number(timed.rate()),
              Page.number(bytes / 1e6));
        }
      }
    }
    page.endTable();
    long half = Models.model(arguments[0]).precision(Precision.FP16).estimate().total();
    page.text("In FP16 it takes " + Page.number(half / 1e6) + " MB.").write();
  }

  /** The precision, or FP32 where no engine here computes in it. */
  private static Precision usable(String model, Precision wanted) {
    String device = Models.model(model).estimate().info().device();
    return wanted == Precision.FP16 && device.equals("cpu") ? Precision.FP32 : wanted;
  }

  /** How far two answers agree from the beginning. */
  private static int same(List<Integer> a, List<Integer> b) {
    int count = 0;
    while (count < Math.min(a.size(), b.size()) && a.get(count).equals(b.get(count))) {
      count++;
    }
    return count;
  }
}
