package dev.lmm.clip.internal;

import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Value;
import java.util.stream.LongStream;

/** Pictures cut into patches. */
final class Patches {
  private Patches() {}

  /**
   * A convolution whose kernel is one patch, row by row.
   *
   * @param g at {@code patch_embedding}
   * @param pixels [batch, channels, side, side]
   * @return [batch, patches, width]
   */
  static Value embed(GraphBuilder g, Value pixels, VisionConfig config, boolean bias) {
    long width = config.hiddenSize();
    long patch = config.patchSize();
    Value x =
        g.conv(
            pixels,
            g.weight("weight", width, config.numChannels(), patch, patch),
            bias ? g.weight("bias", width) : null,
            config.patchSize(),
            0); // [batch, width, rows, columns]
    return g.transpose(g.reshape(x, pixels.dim(0), width, x.dim(2).times(x.dim(3))), 0, 2, 1);
  }

  static long[] range(int n) {
    return LongStream.range(0, n).toArray();
  }
}
