package dev.lmm.core.engine.reference;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Op;
import org.jspecify.annotations.Nullable;

/** Normalisations and softmax. */
final class Norms {
  private Norms() {}

  /** Layer and RMS normalisation over the last axis. */
  static Elements lastAxis(Call call) {
    Elements x = call.in(0);
    Elements weight = call.optional(1);
    Elements bias = call.optional(2);
    double epsilon = call.attributes(Attributes.Norm.class).epsilon();
    int width = x.dim(-1);
    float[] in = x.floats();
    float[] out = new float[in.length];
    for (int row = 0; row < in.length; row += width) {
      double mean = call.op() == Op.LAYER_NORM ? mean(in, row, width) : 0;
      double scale = 1 / Math.sqrt(meanSquare(in, row, width, mean) + epsilon);
      for (int i = 0; i < width; i++) {
        out[row + i] =
            (float) ((in[row + i] - mean) * scale * weight(weight, i) + Products.bias(bias, i));
      }
    }
    return Elements.of(x.dtype(), x.shape(), out);
  }

  static Elements group(Call call) {
    Elements x = call.in(0);
    Elements weight = call.optional(1);
    Elements bias = call.optional(2);
    Attributes.GroupNorm a = call.attributes(Attributes.GroupNorm.class);
    int channels = x.dim(1);
    int plane = Layout.count(x.shape(), 2, x.rank());
    int size = channels / a.groups() * plane;
    float[] in = x.floats();
    float[] out = new float[in.length];
    for (int start = 0; start < in.length; start += size) {
      double mean = mean(in, start, size);
      double scale = 1 / Math.sqrt(meanSquare(in, start, size, mean) + a.epsilon());
      for (int i = start; i < start + size; i++) {
        int channel = i / plane % channels;
        out[i] =
            (float)
                ((in[i] - mean) * scale * weight(weight, channel) + Products.bias(bias, channel));
      }
    }
    return Elements.of(x.dtype(), x.shape(), out);
  }

  private static double weight(@Nullable Elements weight, int channel) {
    return weight == null ? 1 : weight.floats()[channel];
  }

  private static double mean(float[] values, int start, int count) {
    double sum = 0;
    for (int i = start; i < start + count; i++) {
      sum += values[i];
    }
    return sum / count;
  }

  private static double meanSquare(float[] values, int start, int count, double mean) {
    double sum = 0;
    for (int i = start; i < start + count; i++) {
      sum += (values[i] - mean) * (values[i] - mean);
    }
    return sum / count;
  }

  /** Softmax, or its logarithm. */
  static Elements softmax(Call call) {
    Elements x = call.in(0);
    Layout.Split split = Layout.split(x.shape(), call.axis());
    float[] in = x.floats();
    float[] out = new float[in.length];
    for (int o = 0; o < split.outer(); o++) {
      for (int i = 0; i < split.inner(); i++) {
        int start = o * split.length() * split.inner() + i;
        double max = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < split.length(); j++) {
          max = Math.max(max, in[start + j * split.inner()]);
        }
        double sum = 0;
        for (int j = 0; j < split.length(); j++) {
          sum += Math.exp(in[start + j * split.inner()] - max);
        }
        for (int j = 0; j < split.length(); j++) {
          int at = start + j * split.inner();
          out[at] =
              (float)
                  (call.op() == Op.SOFTMAX
                      ? Math.exp(in[at] - max) / sum
                      : in[at] - max - Math.log(sum));
        }
      }
    }
    return Elements.of(x.dtype(), x.shape(), out);
  }
}
