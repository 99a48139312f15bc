package dev.lmm.cli;

import dev.lmm.Model;
import dev.lmm.Summary;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;

/** {@code lmm summary}. */
@Command(name = "summary", description = "The layers and how many parameters each has.")
final class SummaryCommand extends ModelCommand {
  @Override
  public Integer call() {
    try (Model loaded = load()) {
      Summary summary = loaded.summary();
      Map<String, Object> document = document(loaded.info());
      document.put("parameters", summary.parameters());
      document.put("trained", summary.trained());
      document.put("bytes", summary.bytes());
      document.put("parts", summary.parts().stream().map(SummaryCommand::part).toList());
      return print(document, () -> output().out().print(summary));
    }
  }

  private static Map<String, Object> part(Summary.Part part) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", part.name());
    map.put("parameters", part.parameters());
    return map;
  }
}
