package dev.lmm.diffusion.internal;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Runs an autoencoder's half tile by tile, so that memory does not grow with the picture. As in
 * diffusers, tiles overlap by a quarter, over which each fades into the next.
 */
final class Tiling {
  private static final double OVERLAP = 0.25;

  /** One half of an autoencoder. */
  @FunctionalInterface
  interface Step {
    Planes of(Planes tile);
  }

  private record Place(int row, int column, Planes tile) {}

  private Tiling() {}

  /**
   * Runs.
   *
   * @param x what goes in
   * @param in a tile's side of what goes in
   * @param out a tile's side of what comes out
   * @param step works on a tile
   */
  static Planes run(Planes x, int in, int out, Step step) {
    int stride = Math.max(1, (int) (in * (1 - OVERLAP)));
    int fade = (int) (out * OVERLAP);
    int kept = out - fade;
    int rows = (x.height() + stride - 1) / stride;
    int columns = (x.width() + stride - 1) / stride;
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        places.add(new Place(i, j, x.cut(i * stride, j * stride, in)));
      }
    }
    // Those of one size together, for a program is compiled for one size.
    places.sort(
        Comparator.comparingInt((Place p) -> -p.tile().height())
            .thenComparing(p -> -p.tile().width()));
    Planes[][] made = new Planes[rows][columns];
    for (Place place : places) {
      made[place.row()][place.column()] = copy(step.of(place.tile()));
    }
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        if (i > 0) {
          fadeDown(made[i - 1][j], made[i][j], fade);
        }
        if (j > 0) {
          fadeRight(made[i][j - 1], made[i][j], fade);
        }
      }
    }
    return joined(made, kept);
  }

  private static Planes copy(Planes planes) {
    float[] all = new float[planes.channels() * planes.height() * planes.width()];
    planes.floats().duplicate().get(all);
    return new Planes(FloatBuffer.wrap(all), planes.channels(), planes.height(), planes.width());
  }

  private static void fadeDown(Planes above, Planes below, int most) {
    int extent = Math.min(most, Math.min(above.height(), below.height()));
    int width = Math.min(above.width(), below.width());
    for (int c = 0; c < below.channels(); c++) {
      for (int y = 0; y < extent; y++) {
        int from = (c * above.height() + above.height() - extent + y) * above.width();
        int to = (c * below.height() + y) * below.width();
        for (int x = 0; x < width; x++) {
          mix(above.floats(), from + x, below.floats(), to + x, (double) y / extent);
        }
      }
    }
  }

  private static void fadeRight(Planes left, Planes right, int most) {
    int extent = Math.min(most, Math.min(left.width(), right.width()));
    int height = Math.min(left.height(), right.height());
    for (int c = 0; c < right.channels(); c++) {
      for (int y = 0; y < height; y++) {
        int from = (c * left.height() + y) * left.width() + left.width() - extent;
        int to = (c * right.height() + y) * right.width();
        for (int x = 0; x < extent; x++) {
          mix(left.floats(), from + x, right.floats(), to + x, (double) x / extent);
        }
      }
    }
  }

  private static void mix(FloatBuffer a, int from, FloatBuffer b, int to, double share) {
    b.put(to, a.get(from) * (float) (1 - share) + b.get(to) * (float) share);
  }

  private static Planes joined(Planes[][] tiles, int kept) {
    int channels = tiles[0][0].channels();
    int height = 0;
    for (Planes[] row : tiles) {
      height += Math.min(kept, row[0].height());
    }
    int width = 0;
    for (Planes tile : tiles[0]) {
      width += Math.min(kept, tile.width());
    }
    FloatBuffer all = FloatBuffer.allocate(channels * height * width);
    int top = 0;
    for (Planes[] row : tiles) {
      int left = 0;
      for (Planes tile : row) {
        for (int c = 0; c < channels; c++) {
          for (int y = 0; y < Math.min(kept, tile.height()); y++) {
            for (int x = 0; x < Math.min(kept, tile.width()); x++) {
              all.put(
                  (c * height + top + y) * width + left + x,
                  tile.floats().get((c * tile.height() + y) * tile.width() + x));
            }
          }
        }
        left += Math.min(kept, tile.width());
      }
      top += Math.min(kept, row[0].height());
    }
    return new Planes(all, channels, height, width);
  }
}
