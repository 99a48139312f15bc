package dev.lmm.search;

import java.util.List;

/**
 * What an update did.
 *
 * @param added pictures that were not in the index
 * @param changed pictures whose file is another now
 * @param removed pictures that are no longer in the folder, or no longer readable
 * @param unchanged pictures that were in the index already and stay as they are
 * @param skipped files and folders that could not be read
 * @param firstSkipped the first hundred of them; {@link UpdateRequest#onSkipped} hears of all
 */
public record UpdateReport(
    int added,
    int changed,
    int removed,
    int unchanged,
    int skipped,
    List<SkippedFile> firstSkipped) {
  static final int MOST_SKIPPED = 100;

  /**
   * Copies the list.
   *
   * @param added pictures that were not in the index
   * @param changed pictures whose file is another now
   * @param removed pictures that are no longer in the folder
   * @param unchanged pictures that stay as they are
   * @param skipped files and folders that could not be read
   * @param firstSkipped the first of them
   */
  public UpdateReport {
    firstSkipped = List.copyOf(firstSkipped);
  }

  /**
   * Whether the index is another now.
   *
   * @return true if a picture was added, changed or removed
   */
  public boolean anything() {
    return added + changed + removed > 0;
  }
}
