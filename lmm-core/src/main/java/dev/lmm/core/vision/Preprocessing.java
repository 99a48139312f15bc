package dev.lmm.core.vision;

import dev.lmm.Box;
import dev.lmm.Check;
import dev.lmm.Image;
import java.nio.FloatBuffer;

/**
 * What a checkpoint's image processor does with a picture: resize, crop, rescale, normalise. Each
 * step as Pillow and the processors' PIL backend do it.
 *
 * @param resize whether to resize
 * @param width of the resized picture; 0 if the shorter side is given instead
 * @param height of the resized picture; 0 if the shorter side is given instead
 * @param shortestEdge length of the shorter side after resizing, the aspect kept; 0 if both are
 *     given
 * @param filter how to interpolate
 * @param crop whether to cut the middle out
 * @param cropWidth of the cut; a smaller picture is padded with black
 * @param cropHeight of the cut; a smaller picture is padded with black
 * @param rescaleFactor what pixels (0 to 255) are multiplied with; 1 for nothing
 * @param mean subtracted from each channel after that; zeros for nothing
 * @param std what each channel is divided by after that; ones for nothing
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Preprocessing(
    boolean resize,
    int width,
    int height,
    int shortestEdge,
    ResizeFilter filter,
    boolean crop,
    int cropWidth,
    int cropHeight,
    double rescaleFactor,
    double[] mean,
    double[] std) {

  /**
   * Checks that the numbers make sense.
   *
   * @param resize whether to resize
   * @param width of the resized picture; 0 if the shorter side is given instead
   * @param height of the resized picture; 0 if the shorter side is given instead
   * @param shortestEdge length of the shorter side after resizing, the aspect kept; 0 if both are
   *     given
   * @param filter how to interpolate
   * @param crop whether to cut the middle out
   * @param cropWidth of the cut; a smaller picture is padded with black
   * @param cropHeight of the cut; a smaller picture is padded with black
   * @param rescaleFactor what pixels (0 to 255) are multiplied with; 1 for nothing
   * @param mean subtracted from each channel after that; zeros for nothing
   * @param std what each channel is divided by after that; ones for nothing
   */
  public Preprocessing {
    Check.that(
        !resize || shortestEdge >= 1 || (width >= 1 && height >= 1),
        "size: is " + width + "x" + height + "; expected at least 1x1");
    Check.that(
        !crop || (cropWidth >= 1 && cropHeight >= 1),
        "crop_size: is " + cropWidth + "x" + cropHeight + "; expected at least 1x1");
    Check.that(
        mean.length == 3 && std.length == 3, "image_mean, image_std: expected 3 numbers each");
    for (double s : std) {
      Check.that(s != 0, "image_std: has a 0; expected other numbers");
    }
  }

  /**
   * The size a picture is resized to, before it is cut.
   *
   * @param pictureWidth in pixels, at least 1
   * @param pictureHeight in pixels, at least 1
   * @return width and height
   */
  public int[] resizedSize(int pictureWidth, int pictureHeight) {
    if (!resize) {
      return new int[] {pictureWidth, pictureHeight};
    }
    if (shortestEdge == 0) {
      return new int[] {width, height};
    }
    int shorter = Math.min(pictureWidth, pictureHeight);
    // The longer side is truncated, not rounded.
    long longer = (long) shortestEdge * Math.max(pictureWidth, pictureHeight) / shorter;
    Check.that(
        longer <= Integer.MAX_VALUE,
        "picture: of "
            + pictureWidth
            + "x"
            + pictureHeight
            + " would become "
            + longer
            + " pixels long; expected fewer than 2^31");
    return pictureWidth > pictureHeight
        ? new int[] {(int) longer, shortestEdge}
        : new int[] {shortestEdge, (int) longer};
  }

  /**
   * Which part of a picture is in what {@link #pixels} gives.
   *
   * @param pictureWidth in pixels, at least 1
   * @param pictureHeight in pixels, at least 1
   * @return in shares of its width and height; the whole picture is 0, 0, 1, 1, and a cut that is
   *     larger than the picture reaches beyond
   */
  public Box place(int pictureWidth, int pictureHeight) {
    if (!crop) {
      return new Box(0, 0, 1, 1);
    }
    int[] size = resizedSize(pictureWidth, pictureHeight);
    double left = Math.floorDiv(size[0] - cropWidth, 2);
    double top = Math.floorDiv(size[1] - cropHeight, 2);
    return new Box(
        left / size[0], top / size[1], (left + cropWidth) / size[0], (top + cropHeight) / size[1]);
  }

  /**
   * The pixels before rescaling.
   *
   * @param image a picture
   * @return resized and cut
   */
  public Image pixels(Image image) {
    int[] size = resizedSize(image.width(), image.height());
    int w = size[0];
    int h = size[1];
    if (!crop) {
      return cut(image, w, h, 0, 0, w, h);
    }
    // Rounded down also where the cut is the larger: the reference's padding comes to the same.
    int left = Math.floorDiv(w - cropWidth, 2);
    int top = Math.floorDiv(h - cropHeight, 2);
    Image inside =
        cut(
            image,
            w,
            h,
            Math.max(left, 0),
            Math.max(top, 0),
            Math.min(w, cropWidth),
            Math.min(h, cropHeight));
    return left >= 0 && top >= 0 ? inside : padded(inside, Math.max(-left, 0), Math.max(-top, 0));
  }

  private Image cut(Image image, int w, int h, int left, int top, int cutWidth, int cutHeight) {
    if (w == image.width() && h == image.height() && cutWidth == w && cutHeight == h) {
      return image;
    }
    byte[] rgb =
        Resize.rgb(
            image.rgb(),
            image.width(),
            image.height(),
            w,
            h,
            filter,
            left,
            top,
            cutWidth,
            cutHeight);
    return Image.ofRgb(cutWidth, cutHeight, rgb, image.source());
  }

  /** A picture smaller than the cut lies on black. */
  private Image padded(Image inside, int left, int top) {
    byte[] rgb = new byte[cropWidth * cropHeight * 3];
    int line = inside.width() * 3;
    for (int y = 0; y < inside.height(); y++) {
      System.arraycopy(inside.rgb(), y * line, rgb, ((y + top) * cropWidth + left) * 3, line);
    }
    return Image.ofRgb(cropWidth, cropHeight, rgb, inside.source());
  }

  /**
   * What each of the 256 levels of each channel becomes.
   *
   * @return 3 tables of 256
   */
  public float[][] levels() {
    float[][] levels = new float[3][256];
    for (int c = 0; c < 3; c++) {
      for (int i = 0; i < 256; i++) {
        // In double, then single precision, as the processors compute it.
        float scaled = (float) (i * rescaleFactor);
        levels[c][i] = (scaled - (float) mean[c]) / (float) std[c];
      }
    }
    return levels;
  }

  /**
   * Writes pixels as planes: all red, all green, all blue.
   *
   * @param pixels as {@link #pixels} gives them
   * @param levels as {@link #levels} gives them
   * @param target takes {@code 3 * width * height} numbers from its position on
   */
  public static void planes(Image pixels, float[][] levels, FloatBuffer target) {
    byte[] rgb = pixels.rgb();
    int n = pixels.width() * pixels.height();
    float[] plane = new float[n];
    for (int c = 0; c < 3; c++) {
      float[] level = levels[c];
      for (int i = 0, p = c; i < n; i++, p += 3) {
        plane[i] = level[rgb[p] & 0xff];
      }
      target.put(plane);
    }
  }
}
