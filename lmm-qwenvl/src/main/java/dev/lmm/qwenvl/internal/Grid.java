package dev.lmm.qwenvl.internal;

/**
 * How a picture or video is cut into patches.
 *
 * @param times steps of time, each of two frames; 1 for a picture
 * @param rows of patches
 * @param columns of patches
 */
record Grid(int times, int rows, int columns) {
  int patches() {
    return Math.multiplyExact(times, Math.multiplyExact(rows, columns));
  }

  /** Entries of the language model. */
  int cells(int cell) {
    return patches() / cell;
  }
}
