package dev.lmm.cli;

import dev.lmm.Check;
import dev.lmm.LmmException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/** Where {@code lmm} begins. Exit status: 0 done, 1 failed, 2 wrong usage. */
@Command(
    name = "lmm",
    description = "Local multimodal models: embed, compare, make, inspect and talk about pictures.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    subcommands = {
      EmbedCommand.class,
      EstimateCommand.class,
      RankCommand.class,
      SearchCommand.class,
      CaptionCommand.class,
      AskCommand.class,
      MatchCommand.class,
      AttentionCommand.class,
      QueriesCommand.class,
      GenerateCommand.class,
      ChatCommand.class,
      LocateCommand.class,
      TrackCommand.class,
      SummaryCommand.class,
      TokenizeCommand.class,
      PreprocessCommand.class,
      PullCommand.class,
      CacheCommand.class,
      BundleCommand.class,
      BenchCommand.class,
      DoctorCommand.class,
      DemoCommand.class
    })
public final class Main implements Runnable {
  /** Of Lucene, which tells of a newer Lucene. Held, for loggers are forgotten otherwise. */
  private static final Logger LUCENE = Logger.getLogger("org.apache.lucene");

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  /** For picocli. */
  public Main() {}

  /**
   * Runs a command and ends the process with its status.
   *
   * @param arguments as typed
   */
  public static void main(String[] arguments) {
    // Before the first logger: quiet unless asked.
    boolean debug = List.of(arguments).contains("--debug");
    System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", debug ? "debug" : "error");
    System.setProperty("org.slf4j.simpleLogger.showThreadName", "false");
    System.setProperty("java.awt.headless", "true");
    LUCENE.setLevel(debug ? Level.INFO : Level.SEVERE);
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    int status = run(out, err, arguments);
    out.flush();
    System.exit(status);
  }

  /**
   * Runs a command.
   *
   * @param out takes results
   * @param err takes messages
   * @param arguments as typed
   * @return the exit status
   */
  static int run(PrintStream out, PrintStream err, String... arguments) {
    CommandLine line = new CommandLine(new Main(), new Commands(new Output(out, err)));
    line.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
    line.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler(
        (failure, args) -> {
          err.println("lmm: " + oneLine(failure.getMessage()) + "; " + help(failure));
          return 2;
        });
    line.setExecutionExceptionHandler(
        (failure, command, parsed) -> {
          if (List.of(arguments).contains("--debug")) {
            failure.printStackTrace(err);
          }
          err.println("lmm: " + message(failure));
          return 1;
        });
    return run(err, () -> line.execute(arguments));
  }

  /** Runs a command; a full heap, which is no exception, is told as the others are. */
  static int run(PrintStream err, IntSupplier command) {
    try {
      return command.getAsInt();
    } catch (OutOfMemoryError e) {
      err.println(
          "lmm: Java's heap of "
              + Sizes.of(Runtime.getRuntime().maxMemory())
              + " is full ("
              + oneLine(e.getMessage())
              + "): start Java with more, for instance -Xmx2g; weights lie outside of it, and lmm"
              + " estimate MODEL tells how much they take");
      return 1;
    }
  }

  private static String help(ParameterException failure) {
    return "see " + failure.getCommandLine().getCommandSpec().qualifiedName() + " --help";
  }

  private static String message(Throwable failure) {
    String message = failure.getMessage();
    if (failure instanceof LmmException && message != null) {
      return oneLine(message);
    }
    return oneLine(failure.getClass().getSimpleName() + (message == null ? "" : ": " + message));
  }

  private static String oneLine(@Nullable String text) {
    return text == null ? "failed" : text.strip().replaceAll("\\s*[\\r\\n]+\\s*", " ");
  }

  @Override
  public void run() {
    throw new ParameterException(Check.notNull(spec, "spec").commandLine(), "No command was given");
  }
}
