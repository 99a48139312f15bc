package dev.lmm;

/** Hears how far a request has come. Called on the thread that runs the request. */
@FunctionalInterface
public interface ProgressListener {
  /**
   * Some more is done.
   *
   * @param done items finished
   * @param total items in all, or -1 if unknown
   */
  void progress(long done, long total);
}
