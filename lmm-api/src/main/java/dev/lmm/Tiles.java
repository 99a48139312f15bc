package dev.lmm;

/** A picture made small, many times side by side. Not thread-safe. */
final class Tiles {
  private static final int LONGER = 160;
  private static final int ACROSS = 8;

  private final Image small;
  private final int across;
  private final int down;
  private final byte[] sheet;
  private int count;

  /**
   * An empty sheet.
   *
   * @param picture of whose shape the tiles are
   * @param tiles how many there will be, at least 1
   */
  Tiles(Image picture, int tiles) {
    int longer = Math.max(picture.width(), picture.height());
    this.small =
        scaled(
            picture,
            Math.max(1, Math.round(picture.width() * (float) LONGER / longer)),
            Math.max(1, Math.round(picture.height() * (float) LONGER / longer)));
    this.across = Math.min(ACROSS, tiles);
    this.down = (tiles + across - 1) / across;
    this.sheet = new byte[Math.multiplyExact(across * small.width(), down * small.height()) * 3];
  }

  /** The picture in a tile's size. */
  Image small() {
    return small;
  }

  /** Adds a tile with its name. */
  void add(Image tile, String name) {
    int width = small.width();
    int height = small.height();
    Image named = tile.draw().colour(0xFFFFFF).box(0, 0, width - 1.0, height - 1.0, name).image();
    int left = count % across * width;
    int top = count / across * height;
    for (int y = 0; y < height; y++) {
      int to = ((top + y) * across * width + left) * 3;
      System.arraycopy(named.rgb(), y * width * 3, sheet, to, width * 3);
    }
    count++;
  }

  Image image(String source) {
    return Image.ofRgb(across * small.width(), down * small.height(), sheet, source);
  }

  /** Each pixel the mean of those it covers. */
  private static Image scaled(Image picture, int width, int height) {
    byte[] from = picture.rgb();
    byte[] to = new byte[width * height * 3];
    for (int y = 0; y < height; y++) {
      int top = (int) ((long) y * picture.height() / height);
      int bottom = Math.max(top + 1, (int) ((y + 1L) * picture.height() / height));
      for (int x = 0; x < width; x++) {
        int left = (int) ((long) x * picture.width() / width);
        int right = Math.max(left + 1, (int) ((x + 1L) * picture.width() / width));
        int count = (right - left) * (bottom - top);
        for (int c = 0; c < 3; c++) {
          long sum = 0;
          for (int v = top; v < bottom; v++) {
            for (int u = left; u < right; u++) {
              sum += from[(v * picture.width() + u) * 3 + c] & 0xFF;
            }
          }
          to[(y * width + x) * 3 + c] = (byte) ((sum + count / 2) / count);
        }
      }
    }
    return Image.ofRgb(width, height, to, picture.source());
  }
}
