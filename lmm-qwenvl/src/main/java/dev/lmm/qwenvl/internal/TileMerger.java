package dev.lmm.qwenvl.internal;

import dev.lmm.Box;
import dev.lmm.Region;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts together what was found in overlapping parts of a picture. A thing that lies in two of them
 * is found twice: whole in both, or in one of them cut off at its edge. For one thread.
 */
final class TileMerger {
  /** Boxes of one label that are this much the same are one thing. */
  private static final double SAME = 0.5;

  /** So much of a piece that was cut off lies within the whole. */
  private static final double WITHIN = 0.8;

  /** Boxes end at a part's edge within so much of its side; points are one within so much. */
  private static final double NEAR = 0.02;

  private final int width;
  private final int height;
  private final List<Found> kept = new ArrayList<>();

  /** A region, the part that it was found in, and whether that part may have cut it off. */
  private record Found(Region region, int part, boolean cut) {}

  private int parts;

  /** Of a picture of so many pixels. */
  TileMerger(int width, int height) {
    this.width = width;
    this.height = height;
  }

  /** What was found in the next part. Two things of one part are two things. */
  void add(List<Region> regions, int left, int top, int partWidth, int partHeight) {
    int part = parts++;
    double nearX = NEAR * partWidth;
    double nearY = NEAR * partHeight;
    int right = left + partWidth;
    int bottom = top + partHeight;
    for (Region region : regions) {
      Box box = region.box();
      boolean cut =
          box != null
              && ((left > 0 && box.left() - left <= nearX)
                  || (top > 0 && box.top() - top <= nearY)
                  || (right < width && right - box.right() <= nearX)
                  || (bottom < height && bottom - box.bottom() <= nearY));
      place(new Found(region, part, cut), Math.max(nearX, nearY));
    }
  }

  private void place(Found found, double near) {
    for (int i = 0; i < kept.size(); i++) {
      Found other = kept.get(i);
      if (other.part() != found.part()
          && other.region().label().equals(found.region().label())
          && same(other, found, near)) {
        kept.set(i, better(other, found));
        return;
      }
    }
    kept.add(found);
  }

  private static boolean same(Found a, Found b, double near) {
    Box one = a.region().box();
    Box two = b.region().box();
    if (one == null || two == null) {
      return one == null && two == null && close(a.region().point(), b.region().point(), near);
    }
    double iou = one.iou(two);
    if (iou > SAME) {
      return true;
    }
    double shared = iou * (one.area() + two.area()) / (1 + iou);
    boolean piece = one.area() < two.area() ? a.cut() : b.cut();
    return piece && shared >= WITHIN * Math.min(one.area(), two.area());
  }

  private static boolean close(Region.@Nullable Point a, Region.@Nullable Point b, double near) {
    return a != null && b != null && Math.hypot(a.x() - b.x(), a.y() - b.y()) <= near;
  }

  /** One that no edge cuts off before one that is cut, then the surer. */
  private static Found better(Found a, Found b) {
    if (a.cut() != b.cut()) {
      return a.cut() ? b : a;
    }
    return b.region().confidence() > a.region().confidence() ? b : a;
  }

  /** What is left, in the order in which it was found. */
  List<Region> regions() {
    return kept.stream().map(Found::region).toList();
  }
}
