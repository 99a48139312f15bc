package dev.lmm.core.hub;

/**
 * How far a download has come.
 *
 * @param file the file being fetched, relative to the model's folder
 * @param done bytes of all files, those of earlier tries included
 * @param total bytes of all files that were not in the cache
 * @param bytesPerSecond what this download has received, since it began
 */
public record DownloadProgress(String file, long done, long total, double bytesPerSecond) {
  /** Hears of progress, several times a second at most, on the thread that downloads. */
  @FunctionalInterface
  public interface Listener {
    /**
     * Some more is there.
     *
     * @param progress how far
     */
    void progress(DownloadProgress progress);
  }
}
