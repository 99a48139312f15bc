package dev.lmm.cli;

import dev.lmm.CaptionRequest;
import dev.lmm.Image;
import dev.lmm.Model;
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
  CaptionRequest request(Model model, String image) {
    return model.captioner().ask(Image.read(path(image)), question);
  }
}
