package dev.lmm;

import org.jspecify.annotations.Nullable;

/**
 * Where something is in a picture: a box or a point, in the picture's own pixels.
 *
 * @param label what it is, as the model calls it; empty if it does not say
 * @param box where it is, or null for a point
 * @param point where it is, or null for a box
 * @param confidence 0 to 1: how sure the model was of what it wrote, the geometric mean of its own
 *     probabilities of the tokens that wrote place and label
 */
public record Region(String label, @Nullable Box box, @Nullable Point point, double confidence) {
  /**
   * A place in a picture.
   *
   * @param x pixels from the left
   * @param y pixels from the top
   */
  public record Point(double x, double y) {}

  /**
   * Checks that there is one place.
   *
   * @param label what it is
   * @param box where it is, or null for a point
   * @param point where it is, or null for a box
   * @param confidence 0 to 1
   */
  public Region {
    Check.notNull(label, "label");
    Check.that((box == null) != (point == null), "region: needs a box or a point, and not both");
  }

  /**
   * Draws it with its label.
   *
   * @param drawing over the picture it belongs to
   */
  public void draw(Drawing drawing) {
    if (box != null) {
      drawing.box(box.left(), box.top(), box.right(), box.bottom(), label);
    } else if (point != null) {
      drawing.point(point.x(), point.y(), label);
    }
  }
}
