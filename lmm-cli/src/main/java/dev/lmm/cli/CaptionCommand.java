package dev.lmm.cli;

import dev.lmm.CaptionRequest;
import dev.lmm.Image;
import dev.lmm.Model;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm caption}. */
@Command(name = "caption", description = "Describes pictures.")
final class CaptionCommand extends CaptionOptions {
  @Option(names = "--prompt", paramLabel = "TEXT", description = "What the text goes on from.")
  String prompt = "";

  @Override
  CaptionRequest request(Model model, String image) {
    return model.captioner().caption(Image.read(path(image))).prompt(prompt);
  }
}
