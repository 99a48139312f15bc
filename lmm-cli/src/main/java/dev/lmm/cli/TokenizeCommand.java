package dev.lmm.cli;

import dev.lmm.Inspection;
import dev.lmm.Model;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm tokenize}. */
@Command(name = "tokenize", description = "Token ids and pieces, not padded, not cut.")
final class TokenizeCommand extends ModelCommand {
  @Option(names = "--text", paramLabel = "TEXT", required = true, description = "The text.")
  String text = "";

  @Override
  public Integer call() {
    try (Model loaded = load()) {
      Inspection.Tokens tokens = loaded.inspect().tokenize(text);
      Map<String, Object> document = document(loaded.info());
      document.put("ids", tokens.ids());
      document.put("tokens", tokens.tokens());
      return print(
          document,
          () -> {
            for (int i = 0; i < tokens.ids().size(); i++) {
              output().line(tokens.ids().get(i) + "\t" + tokens.tokens().get(i));
            }
          });
    }
  }
}
