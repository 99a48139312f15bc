package dev.lmm.cli;

import java.io.PrintStream;
import java.util.Locale;

/** One line on a terminal that tells how far a download has come. */
final class Progress {
  private final PrintStream err;
  private int width;

  Progress(PrintStream err) {
    this.err = err;
  }

  /** Whether somebody is looking: the launcher says whether standard error is a terminal. */
  static boolean wanted(OutputCommand command) {
    return !command.quiet && !command.json && Boolean.getBoolean("lmm.terminal");
  }

  void show(String what, long done, long total) {
    show(
        total <= 0
            ? what
            : String.format(
                Locale.ROOT,
                "%3d %% of %s  %s",
                Math.min(100, 100 * done / total),
                Sizes.of(total),
                what));
  }

  void show(String text) {
    err.print("\r" + text + " ".repeat(Math.max(0, width - text.length())));
    err.flush();
    width = text.length();
  }

  /** Takes the line away. */
  void end() {
    if (width > 0) {
      err.print("\r" + " ".repeat(width) + "\r");
      err.flush();
      width = 0;
    }
  }
}
