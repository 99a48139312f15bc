package dev.lmm.cli;

import dev.lmm.Check;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What every command has: results for people, or as one JSON document. */
abstract class OutputCommand implements Callable<Integer> {
  @Nullable Output output;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Shows this help.")
  boolean help;

  @Option(names = "--json", description = "Prints one JSON document and nothing else.")
  boolean json;

  @Option(names = "--quiet", description = "Prints no progress.")
  boolean quiet;

  @Option(names = "--debug", description = "Prints logs, and the stack of a failure.")
  boolean debug;

  final Output output() {
    return Check.notNull(output, "output");
  }

  /** Prints the document, or else runs the printer for people. */
  final int print(Map<String, ?> document, Runnable forPeople) {
    if (json) {
      output().json(document);
    } else {
      forPeople.run();
    }
    return 0;
  }
}
