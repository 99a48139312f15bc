package dev.lmm.cli;

import dev.lmm.Caption;
import dev.lmm.CaptionRequest;
import dev.lmm.Model;
import java.util.List;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm caption}. */
@Command(name = "caption", description = "Describes pictures.")
final class CaptionCommand extends CaptionOptions {
  @Option(names = "--prompt", paramLabel = "TEXT", description = "What the text goes on from.")
  String prompt = "";

  @Override
  List<Caption> write(Model model, UnaryOperator<CaptionRequest> options) {
    return model
        .captioner()
        .captions(read(images))
        .each(each -> options.apply(each.prompt(prompt)))
        .run();
  }
}
