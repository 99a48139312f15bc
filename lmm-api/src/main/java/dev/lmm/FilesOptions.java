package dev.lmm;

import org.jspecify.annotations.Nullable;

/**
 * Options of {@link Encoder#embedFiles}.
 *
 * @param batchSize pictures computed together, at least 1
 * @param cancellation stops the run, or null
 * @param progress called after each batch, or null
 */
public record FilesOptions(
    int batchSize, @Nullable Cancellation cancellation, @Nullable ProgressListener progress) {
  /** Batches of 16, no cancellation, no progress. */
  public static final FilesOptions DEFAULT =
      new FilesOptions(EmbedRequest.DEFAULT_BATCH, null, null);

  /**
   * Checks the batch size.
   *
   * @param batchSize pictures computed together, at least 1
   * @param cancellation stops the run, or null
   * @param progress called after each batch, or null
   */
  public FilesOptions {
    Check.that(batchSize >= 1, "batchSize: is " + batchSize + "; expected at least 1");
  }
}
