package dev.lmm.examples;

import dev.lmm.Answer;
import dev.lmm.Image;
import dev.lmm.LoadRequest;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Precision;
import java.nio.file.Path;
import java.util.List;

/** FP16 against 4 bits: what they answer, how fast, and in how much memory. */
public final class SixteenOrFourBits {
  private SixteenOrFourBits() {}

  /**
   * Writes a page. On a processor, which does not compute in FP16, the first answer is FP32's; what
   * FP16 would take is told all the same.
   *
   * @param arguments model, picture, folder of the page, question
   */
  public static void main(String[] arguments) {
    Image photo = Image.read(Path.of(arguments[1]));
    Page page = new Page(Path.of(arguments[2]), "Sixteen bits against four");
    page.text(arguments[0] + ": " + arguments[3]).picture(photo, "picture.png", arguments[1]);
    page.table("precision", "answer", "tokens as at first", "how sure", "tokens a second", "MB");
    LoadRequest<Model> request = Models.model(arguments[0]);
    boolean onCard = !request.estimate().info().device().equals("cpu");
    List<Integer> first = List.of();
    for (Precision precision : List.of(onCard ? Precision.FP16 : Precision.FP32, Precision.INT4)) {
      LoadRequest<Model> wanted = request.precision(precision);
      try (Model model = wanted.load()) {
        Timed timed = Timed.of(model.chat().ask(arguments[3]).image(photo).maxTokens(128));
        List<Integer> tokens = timed.answer().tokens().stream().map(Answer.Token::id).toList();
        first = first.isEmpty() ? tokens : first;
        page.row(
            precision.label(),
            timed.answer().text(),
            same(tokens, first) + " of " + first.size(),
            timed.sureness(),
            timed.rate(),
            wanted.estimate().total() / 1e6);
      }
    }
    long half = request.precision(Precision.FP16).estimate().total();
    page.endTable().text("In FP16 it takes " + Page.number(half / 1e6) + " MB.").write();
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
