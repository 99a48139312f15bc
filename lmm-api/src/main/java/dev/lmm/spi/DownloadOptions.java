package dev.lmm.spi;

import dev.lmm.Cancellation;
import dev.lmm.ProgressListener;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How a hub's model is fetched. Without effect on folders and bundled models, but for {@code
 * verified}.
 *
 * @param cache where models are kept, or null for the place the environment names
 * @param variant of the weights, for instance {@code fp16}; empty for the plain files
 * @param verified whether every file is read again and compared with the hash the hub gave
 * @param listener hears of bytes, or null
 * @param cancellation stops the download, or null
 */
public record DownloadOptions(
    @Nullable Path cache,
    String variant,
    boolean verified,
    @Nullable ProgressListener listener,
    @Nullable Cancellation cancellation) {
  /** What the environment says; silent. */
  public static final DownloadOptions DEFAULT = new DownloadOptions(null, "", false, null, null);

  /**
   * Another cache.
   *
   * @param value the folder, made when something is fetched
   * @return new options
   */
  public DownloadOptions withCache(Path value) {
    return new DownloadOptions(value, variant, verified, listener, cancellation);
  }

  /**
   * Another variant of the weights.
   *
   * @param value for instance {@code fp16}
   * @return new options
   */
  public DownloadOptions withVariant(String value) {
    return new DownloadOptions(cache, value, verified, listener, cancellation);
  }

  /**
   * With or without a check of every file.
   *
   * @param value whether hashes are compared
   * @return new options
   */
  public DownloadOptions withVerified(boolean value) {
    return new DownloadOptions(cache, variant, value, listener, cancellation);
  }

  /**
   * Somebody who hears of progress.
   *
   * @param value called on the thread that loads, several times a second at most
   * @return new options
   */
  public DownloadOptions withListener(ProgressListener value) {
    return new DownloadOptions(cache, variant, verified, value, cancellation);
  }

  /**
   * A switch that stops the download.
   *
   * @param value the switch
   * @return new options
   */
  public DownloadOptions withCancellation(Cancellation value) {
    return new DownloadOptions(cache, variant, verified, listener, value);
  }
}
