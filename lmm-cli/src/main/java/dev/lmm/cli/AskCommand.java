package dev.lmm.cli;

import dev.lmm.Caption;
import dev.lmm.CaptionRequest;
import dev.lmm.Captioner;
import dev.lmm.Image;
import dev.lmm.Model;
import java.util.List;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm ask}. */
@Command(name = "ask", description = "Answers a question about pictures.")
final class AskCommand extends CaptionOptions {
  @Option(
      names = "--question",
      paramLabel = "TEXT",
      required = true,
      description = "The question, as a person would ask it.")
  String question = "";

  @Override
  List<Caption> write(Model model, UnaryOperator<CaptionRequest> options) {
    Captioner captioner = model.captioner();
    return images.stream()
        .map(image -> options.apply(captioner.ask(Image.read(path(image)), question)).run())
        .toList();
  }
}
