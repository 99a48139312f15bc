package dev.lmm.cli;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import javax.imageio.ImageIO;

/** Numbers of any range as a picture: the smallest becomes black, the largest white. */
final class Stretched {
  private Stretched() {}

  /** Three planes of numbers as PNG. */
  static byte[] png(float[] planes, int width, int height) throws IOException {
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (float value : planes) {
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    float range = max > min ? max - min : 1;
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    int n = width * height;
    for (int i = 0; i < n; i++) {
      int rgb = 0;
      for (int c = 0; c < 3; c++) {
        rgb = rgb << 8 | Math.round(255 * (planes[c * n + i] - min) / range);
      }
      image.setRGB(i % width, i / width, rgb);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    return bytes.toByteArray();
  }
}
