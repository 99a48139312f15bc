package dev.lmm.core.vision;

/**
 * A decoded picture as it lies in the file.
 *
 * @param width pixels
 * @param height pixels
 * @param rgb interleaved
 * @param orientation as EXIF counts: 1 is upright
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Decoded(int width, int height, byte[] rgb, int orientation) {
  private static final int BLOCK = 64;

  /** The picture as it is to be seen. */
  Decoded upright() {
    if (orientation < 2 || orientation > 8) {
      return this;
    }
    boolean swapped = orientation >= 5;
    int w = swapped ? height : width;
    int h = swapped ? width : height;
    int right = width - 1;
    int bottom = height - 1;
    // The source pixel of the target's first one, and the steps to the source pixels of its
    // neighbours to the right and below.
    int origin =
        switch (orientation) {
          case 2 -> right;
          case 3, 7 -> bottom * width + right;
          case 4, 6 -> bottom * width;
          case 8 -> right;
          default -> 0;
        };
    int stepX =
        switch (orientation) {
          case 2, 3 -> -1;
          case 4 -> 1;
          case 5, 8 -> width;
          default -> -width;
        };
    int stepY =
        switch (orientation) {
          case 2 -> width;
          case 3, 4 -> -width;
          case 5, 6 -> 1;
          default -> -1;
        };
    byte[] out = new byte[rgb.length];
    int bands = (h + BLOCK - 1) / BLOCK;
    Workers.forBands(
        bands,
        Math.max(1, (1 << 16) / (w * BLOCK)),
        (from, to) -> {
          // Square blocks: both sides stay within the cache although one goes down columns.
          for (int band = from; band < to; band++) {
            for (int x0 = 0; x0 < w; x0 += BLOCK) {
              int xEnd = Math.min(w, x0 + BLOCK);
              int yEnd = Math.min(h, (band + 1) * BLOCK);
              for (int y = band * BLOCK; y < yEnd; y++) {
                int in = (origin + x0 * stepX + y * stepY) * 3;
                int o = (y * w + x0) * 3;
                for (int x = x0; x < xEnd; x++) {
                  out[o] = rgb[in];
                  out[o + 1] = rgb[in + 1];
                  out[o + 2] = rgb[in + 2];
                  o += 3;
                  in += stepX * 3;
                }
              }
            }
          }
        });
    return new Decoded(w, h, out, 1);
  }
}
