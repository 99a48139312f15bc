package dev.lmm;

import java.nio.file.Path;
import java.util.List;

/**
 * Draws results over a picture. Coordinates are pixels of the picture, the origin is its top left
 * corner; whatever reaches out of the picture is cut off. Lines and letters grow with the picture.
 * Labels stay inside it and are cut with an ellipsis if they are too long.
 *
 * <p>Shapes of one label share a colour; without a label each shape has the next colour. Not
 * thread-safe.
 */
public interface Drawing {
  /**
   * Draws a box.
   *
   * @param left pixels
   * @param top pixels
   * @param right pixels, at least {@code left}
   * @param bottom pixels, at least {@code top}
   * @param label what stands at the box, any script that the font or the platform has; empty for
   *     nothing
   * @return this
   * @throws InvalidRequestException if a coordinate is not finite or the sides are swapped
   */
  Drawing box(double left, double top, double right, double bottom, String label);

  /**
   * Draws a point.
   *
   * @param x pixels
   * @param y pixels
   * @param label what stands beside it; empty for nothing
   * @return this
   * @throws InvalidRequestException if a coordinate is not finite
   */
  Drawing point(double x, double y, String label);

  /**
   * Draws a closed polygon, lightly filled.
   *
   * @param corners {@code {x, y}} of each corner in pixels, at least three
   * @param label what stands at its topmost corner; empty for nothing
   * @return this
   * @throws InvalidRequestException if there are fewer corners, or a coordinate is not finite
   */
  Drawing polygon(List<double[]> corners, String label);

  /**
   * Lays a heat map over the whole picture: smooth between cells, from nothing at the lowest value
   * to strong yellow at the highest. Where all values are equal, nothing shows.
   *
   * @param values {@code rows * columns} finite values, row by row
   * @param columns at least 1
   * @param rows at least 1
   * @return this
   * @throws InvalidRequestException if the number of values differs or one is not finite
   */
  Drawing heatMap(float[] values, int columns, int rows);

  /**
   * Changes the colour of what is drawn from here on.
   *
   * @param rgb {@code 0xRRGGBB}
   * @return this
   */
  Drawing colour(int rgb);

  /**
   * The picture as it is now.
   *
   * @return a copy
   */
  Image image();

  /**
   * Writes the picture as it is now.
   *
   * @param file ends in {@code .png}, {@code .jpg} or {@code .jpeg}; replaced if it exists
   * @throws ImageException if it cannot be written
   */
  default void save(Path file) {
    image().save(file);
  }
}
