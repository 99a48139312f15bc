package dev.lmm.search;

/** Which way a picture lies, seen upright. */
public enum Orientation {
  /** Wider than high. */
  LANDSCAPE,
  /** Higher than wide. */
  PORTRAIT,
  /** As wide as high. */
  SQUARE;

  static Orientation of(int width, int height) {
    return width > height ? LANDSCAPE : width < height ? PORTRAIT : SQUARE;
  }
}
