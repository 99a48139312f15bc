package dev.lmm.core.vision;

import dev.lmm.Image;
import java.nio.FloatBuffer;

/**
 * Pictures as sequences of patches that keep (nearly) their aspect, as SigLIP 2's NaFlex models
 * take them. Thread-safe.
 */
public final class NaflexPatches {
  private static final double STEP = 1e-5;

  private NaflexPatches() {}

  /**
   * The size a picture is brought to: multiples of the patch, at most so many patches.
   *
   * @param width of the picture
   * @param height of the picture
   * @param patch side of a patch in pixels
   * @param maxPatches the most patches
   * @return width and height
   */
  public static int[] size(int width, int height, int patch, int maxPatches) {
    double low = STEP / 10;
    double high = 100;
    while (high - low >= STEP) {
      double scale = (low + high) / 2;
      double patches =
          (double) scaled(scale, height, patch)
              / patch
              * ((double) scaled(scale, width, patch) / patch);
      if (patches <= maxPatches) {
        low = scale;
      } else {
        high = scale;
      }
    }
    return new int[] {(int) scaled(low, width, patch), (int) scaled(low, height, patch)};
  }

  private static long scaled(double scale, int size, int patch) {
    return Math.max(patch, (long) Math.ceil(size * scale / patch) * patch);
  }

  /**
   * Writes patches row by row; within a patch row, column, channel.
   *
   * @param pixels a picture whose sides are multiples of the patch
   * @param patch side of a patch in pixels
   * @param levels as {@link Preprocessing#levels} gives them
   * @param target takes {@code 3 * width * height} numbers from its position on
   */
  public static void write(Image pixels, int patch, float[][] levels, FloatBuffer target) {
    byte[] rgb = pixels.rgb();
    int width = pixels.width();
    float[] line = new float[patch * 3];
    for (int py = 0; py < pixels.height(); py += patch) {
      for (int px = 0; px < width; px += patch) {
        for (int y = 0; y < patch; y++) {
          int p = ((py + y) * width + px) * 3;
          for (int i = 0; i < line.length; i++) {
            line[i] = levels[i % 3][rgb[p + i] & 0xff];
          }
          target.put(line);
        }
      }
    }
  }
}
