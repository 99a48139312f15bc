package dev.lmm.blip2.internal;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.ProgressListener;
import dev.lmm.core.engine.RunOptions;
import org.jspecify.annotations.Nullable;

/** How a run of the first stage is carried out, and how far it is. Of one thread. */
final class MatchRun {
  private final int batchSize;
  private final @Nullable Cancellation cancellation;
  private final @Nullable ProgressListener progress;
  private final RunOptions options;
  private long total;
  private long done;

  MatchRun(
      int batchSize, @Nullable Cancellation cancellation, @Nullable ProgressListener progress) {
    this.batchSize = batchSize;
    this.cancellation = cancellation;
    this.progress = progress;
    this.options = RunOptions.cancelledBy(cancellation);
  }

  /** Texts at once. */
  int batchSize() {
    return batchSize;
  }

  RunOptions options() {
    return options;
  }

  /** How much there is to do. */
  void expect(long all) {
    total = all;
  }

  void check() {
    if (cancellation != null) {
      cancellation.check();
    }
    if (Thread.currentThread().isInterrupted()) {
      throw new CancelledException("The run was stopped: its thread was interrupted");
    }
  }

  void done(int more) {
    done += more;
    if (progress != null) {
      progress.progress(done, total);
    }
  }
}
