package dev.lmm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Links boxes of frames into tracks: for each frame the assignment of boxes to tracks that fits
 * best altogether, by where each track should be if it moves on as it did. Labels must be equal.
 */
final class Linker {
  /** A box and a track this unlike never belong together. */
  private static final double FARTHEST = 1.5;

  private final int gap;

  Linker(int gap) {
    this.gap = gap;
  }

  /** A track while it grows. */
  private static final class Growing {
    final String label;
    final List<Integer> order = new ArrayList<>();
    final List<Integer> indices = new ArrayList<>();
    final List<Box> boxes = new ArrayList<>();

    Growing(String label) {
      this.label = label;
    }

    void add(int frame, int index, Box box) {
      order.add(frame);
      indices.add(index);
      boxes.add(box);
    }

    int last() {
      return order.get(order.size() - 1);
    }

    /** Where it should be in a frame, moving on as in its last two places. */
    Box predicted(int index) {
      int n = boxes.size();
      Box box = boxes.get(n - 1);
      if (n == 1) {
        return box;
      }
      Box before = boxes.get(n - 2);
      double steps = indices.get(n - 1) - indices.get(n - 2);
      double ahead = (index - indices.get(n - 1)) / steps;
      double dx = (centreX(box) - centreX(before)) * ahead;
      double dy = (centreY(box) - centreY(before)) * ahead;
      return new Box(box.left() + dx, box.top() + dy, box.right() + dx, box.bottom() + dy);
    }
  }

  List<Tracked.Track> link(List<Tracked.Frame> frames, boolean interpolated) {
    List<Growing> all = new ArrayList<>();
    for (int frame = 0; frame < frames.size(); frame++) {
      int now = frame;
      int index = frames.get(frame).index();
      List<Region> regions =
          frames.get(frame).regions().stream().filter(r -> r.box() != null).toList();
      List<Growing> open = all.stream().filter(t -> now - t.last() <= gap + 1).toList();
      int[] match = assign(regions, open, index);
      for (int i = 0; i < regions.size(); i++) {
        Region region = regions.get(i);
        Growing track;
        if (match[i] < 0) {
          track = new Growing(region.label());
          all.add(track);
        } else {
          track = open.get(match[i]);
        }
        track.add(frame, index, Check.notNull(region.box(), "box"));
      }
    }
    List<Tracked.Track> tracks = new ArrayList<>();
    for (Growing track : all) {
      tracks.add(new Tracked.Track(tracks.size() + 1, track.label, places(track, interpolated)));
    }
    return tracks;
  }

  private static List<Tracked.Place> places(Growing track, boolean interpolated) {
    List<Tracked.Place> places = new ArrayList<>();
    for (int i = 0; i < track.boxes.size(); i++) {
      int index = track.indices.get(i);
      if (interpolated && i > 0) {
        int from = track.indices.get(i - 1);
        Box a = track.boxes.get(i - 1);
        Box b = track.boxes.get(i);
        for (int between = from + 1; between < index; between++) {
          double t = (between - from) / (double) (index - from);
          places.add(
              new Tracked.Place(
                  between,
                  new Box(
                      mix(a.left(), b.left(), t),
                      mix(a.top(), b.top(), t),
                      mix(a.right(), b.right(), t),
                      mix(a.bottom(), b.bottom(), t)),
                  true));
        }
      }
      places.add(new Tracked.Place(index, track.boxes.get(i), false));
    }
    return places;
  }

  private static double mix(double a, double b, double t) {
    return a + (b - a) * t;
  }

  /** For each region the track it belongs to, or -1. */
  private static int[] assign(List<Region> regions, List<Growing> open, int index) {
    int n = regions.size();
    int m = open.size();
    // A column for each track, and one for each region that begins a track of its own.
    double[][] cost = new double[n][m + n];
    for (int i = 0; i < n; i++) {
      Arrays.fill(cost[i], m, m + n, FARTHEST);
      Box box = Check.notNull(regions.get(i).box(), "box");
      for (int j = 0; j < m; j++) {
        Growing track = open.get(j);
        double distance =
            track.label.equals(regions.get(i).label())
                ? distance(track.predicted(index), box)
                : Double.MAX_VALUE;
        cost[i][j] = distance < FARTHEST ? distance : 1e6;
      }
    }
    int[] columns = Assignment.of(cost);
    for (int i = 0; i < n; i++) {
      if (columns[i] >= m || cost[i][columns[i]] >= FARTHEST) {
        columns[i] = -1;
      }
    }
    return columns;
  }

  /** 0 for equal boxes; 1 where they begin to part; grows with the gap, in their own size. */
  private static double distance(Box a, Box b) {
    double apart = Math.hypot(centreX(a) - centreX(b), centreY(a) - centreY(b));
    double size = (diagonal(a) + diagonal(b)) / 2;
    double overlap = a.iou(b);
    double far = size == 0 ? (apart == 0 ? 0 : FARTHEST) : apart / size;
    return 1 - overlap + Math.max(0, far - 1) + 0.25 * Math.min(far, 1);
  }

  private static double diagonal(Box box) {
    return Math.hypot(box.right() - box.left(), box.bottom() - box.top());
  }

  private static double centreX(Box box) {
    return (box.left() + box.right()) / 2;
  }

  private static double centreY(Box box) {
    return (box.top() + box.bottom()) / 2;
  }
}
