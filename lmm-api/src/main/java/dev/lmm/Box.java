package dev.lmm;

/**
 * A box in a picture's own pixels; the origin is the picture's top left corner.
 *
 * @param left pixels
 * @param top pixels
 * @param right pixels, at least {@code left}
 * @param bottom pixels, at least {@code top}
 */
public record Box(double left, double top, double right, double bottom) {
  /**
   * Checks the corners.
   *
   * @param left pixels
   * @param top pixels
   * @param right pixels, at least {@code left}
   * @param bottom pixels, at least {@code top}
   */
  public Box {
    Check.that(
        left <= right
            && top <= bottom
            && Double.isFinite(right - left)
            && Double.isFinite(bottom - top),
        "box: is "
            + left
            + ", "
            + top
            + ", "
            + right
            + ", "
            + bottom
            + "; expected finite corners, the upper left first");
  }

  /**
   * Its size.
   *
   * @return square pixels
   */
  public double area() {
    return (right - left) * (bottom - top);
  }

  /**
   * How far two boxes are the same: the area they share over the area both cover.
   *
   * @param other another
   * @return 0 for nothing in common, to 1 for equal
   */
  public double iou(Box other) {
    double width = Math.min(right, other.right) - Math.max(left, other.left);
    double height = Math.min(bottom, other.bottom) - Math.max(top, other.top);
    if (width <= 0 || height <= 0) {
      return 0;
    }
    double shared = width * height;
    return shared / (area() + other.area() - shared);
  }
}
