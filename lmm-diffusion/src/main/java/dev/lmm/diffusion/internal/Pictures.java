package dev.lmm.diffusion.internal;

import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.vision.Resize;
import dev.lmm.core.vision.ResizeFilter;

/** Start pictures and masks as the pipelines prepare them. */
final class Pictures {
  private Pictures() {}

  /** Planes from -1 to 1, resized by Lanczos. */
  static float[] planes(Image image, int width, int height) {
    byte[] rgb = Resize.resize(image, width, height, ResizeFilter.LANCZOS).rgb();
    int pixels = width * height;
    float[] planes = new float[3 * pixels];
    for (int i = 0; i < pixels; i++) {
      for (int c = 0; c < 3; c++) {
        planes[c * pixels + i] = 2 * ((rgb[3 * i + c] & 0xFF) / 255f) - 1;
      }
    }
    return planes;
  }

  /**
   * A mask at full size: 1 where the picture is repainted.
   *
   * @throws InvalidRequestException if it has not the proportions of the picture
   */
  static float[] mask(Image mask, int width, int height) {
    byte[] rgb = mask.rgb();
    byte[] grey = new byte[mask.width() * mask.height()];
    for (int i = 0; i < grey.length; i++) {
      // Pillow's convert("L"): ITU-R 601-2, in fixed point.
      int sum =
          (rgb[3 * i] & 0xFF) * 19595
              + (rgb[3 * i + 1] & 0xFF) * 38470
              + (rgb[3 * i + 2] & 0xFF) * 7471;
      grey[i] = (byte) ((sum + 0x8000) >> 16);
    }
    byte[] resized =
        mask.width() == width && mask.height() == height
            ? grey
            : Resize.plane(grey, mask.width(), mask.height(), width, height, ResizeFilter.LANCZOS);
    float[] binary = new float[resized.length];
    for (int i = 0; i < binary.length; i++) {
      binary[i] = (resized[i] & 0xFF) / 255f >= 0.5f ? 1 : 0;
    }
    return binary;
  }

  /** Every so manieth pixel of a mask. */
  static float[] latentMask(float[] mask, int width, int height, int scale) {
    int w = width / scale;
    int h = height / scale;
    float[] small = new float[w * h];
    for (int y = 0; y < h; y++) {
      for (int x = 0; x < w; x++) {
        small[y * w + x] = mask[y * scale * width + x * scale];
      }
    }
    return small;
  }
}
