package dev.lmm.diffusion.internal;

import dev.lmm.core.engine.Tensor;
import java.nio.FloatBuffer;

/**
 * A picture or latents.
 *
 * @param floats [channels, height, width]
 * @param channels how many planes
 * @param height rows of each
 * @param width columns of each
 */
record Planes(FloatBuffer floats, int channels, int height, int width) {
  /** The first of a batch of one. */
  static Planes of(Tensor tensor) {
    return new Planes(
        tensor.floats(), (int) tensor.dim(1), (int) tensor.dim(2), (int) tensor.dim(3));
  }

  /** As a batch of one. */
  Tensor tensor() {
    float[] all = new float[channels * height * width];
    floats.duplicate().get(all);
    return Tensor.of(all, 1, channels, height, width);
  }

  /** A cut out, ending where these end. */
  Planes cut(int top, int left, int size) {
    int h = Math.min(size, height - top);
    int w = Math.min(size, width - left);
    float[] part = new float[channels * h * w];
    for (int c = 0; c < channels; c++) {
      for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
          part[(c * h + y) * w + x] = floats.get((c * height + top + y) * width + left + x);
        }
      }
    }
    return new Planes(FloatBuffer.wrap(part), channels, h, w);
  }
}
