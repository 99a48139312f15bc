package dev.lmm.cli;

import dev.lmm.core.json.JsonText;
import java.io.PrintStream;
import java.util.Map;

/**
 * Where results and messages go.
 *
 * @param out results
 * @param err progress and messages
 */
record Output(PrintStream out, PrintStream err) {
  /** The one document of {@code --json}. */
  void json(Map<String, ?> document) {
    out.println(JsonText.of(document));
  }

  /** A line of the result for people. */
  void line(String text) {
    out.println(text);
  }
}
