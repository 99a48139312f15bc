package dev.lmm.spi;

import dev.lmm.Drawing;
import dev.lmm.Image;
import java.nio.file.Path;

/** Draws over pictures and writes them. Implementations are stateless and thread-safe. */
public interface ImageDrawer {
  /**
   * Begins to draw.
   *
   * @param image the picture, which stays as it is
   * @return a drawing over a copy of it
   */
  Drawing draw(Image image);

  /**
   * Writes a picture file.
   *
   * @param image the picture
   * @param file ends in {@code .png}, {@code .jpg} or {@code .jpeg}; replaced if it exists
   * @throws dev.lmm.ImageException if it cannot be written
   */
  void save(Image image, Path file);
}
