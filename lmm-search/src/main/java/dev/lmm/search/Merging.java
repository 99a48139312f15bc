package dev.lmm.search;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import java.io.IOException;
import org.apache.lucene.index.IndexWriter;

/**
 * Joins the parts of an index. A search asks the graph of each part, so few large ones are faster
 * than many small ones.
 */
final class Merging {
  private static final long PAUSE_MILLIS = 10;

  /** At most so many parts are left. */
  static final int MOST_PARTS = 4;

  private Merging() {}

  /** Joins, and waits for it; what was committed before stays if it is cancelled. */
  static void finish(IndexWriter writer, Cancellation cancellation) throws IOException {
    writer.forceMerge(MOST_PARTS, false);
    while (writer.hasPendingMerges() || !writer.getMergingSegments().isEmpty()) {
      cancellation.check();
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CancelledException("The run was stopped: its thread was interrupted", e);
      }
    }
    writer.commit();
  }
}
