package dev.lmm.core.engine.reference;

import dev.lmm.core.graph.Attributes;
import java.util.Arrays;
import java.util.List;

/** Convolutions over one to three axes; all are computed over three, missing ones of length 1. */
final class Convolutions {
  private Convolutions() {}

  static Elements conv(Call call) {
    Elements x = call.in(0);
    Elements weight = call.in(1);
    Attributes.Conv a = call.attributes(Attributes.Conv.class);
    int[] in = spatial(x.shape());
    int[] kernel = spatial(weight.shape());
    int[] stride = three(a.strides(), 1);
    int[] dilation = three(a.dilations(), 1);
    int[] before = three(a.padBefore(), 0);
    int[] after = three(a.padAfter(), 0);
    int[] out = new int[3];
    for (int i = 0; i < 3; i++) {
      int reach = (kernel[i] - 1) * dilation[i] + 1;
      int padded = in[i] + before[i] + after[i];
      if (padded < reach) {
        throw call.fail(
            "the kernel reaches " + reach + ", the padded axis of " + x + " has " + padded);
      }
      out[i] = (padded - reach) / stride[i] + 1;
    }
    int batch = x.dim(0);
    int channels = x.dim(1);
    int outChannels = weight.dim(0);
    int perGroup = weight.dim(1);
    int outPerGroup = outChannels / a.groups();
    float[] from = x.floats();
    float[] w = weight.floats();
    float[] y = new float[Layout.count(new int[] {batch, outChannels, out[0], out[1], out[2]})];
    int at = 0;
    for (int b = 0; b < batch; b++) {
      for (int o = 0; o < outChannels; o++) {
        int firstChannel = o / outPerGroup * perGroup;
        for (int oz = 0; oz < out[0]; oz++) {
          for (int oy = 0; oy < out[1]; oy++) {
            for (int ox = 0; ox < out[2]; ox++) {
              double sum = Products.bias(call.optional(2), o);
              for (int c = 0; c < perGroup; c++) {
                int plane = b * channels + firstChannel + c;
                for (int kz = 0; kz < kernel[0]; kz++) {
                  int iz = oz * stride[0] + kz * dilation[0] - before[0];
                  if (iz < 0 || iz >= in[0]) {
                    continue;
                  }
                  for (int ky = 0; ky < kernel[1]; ky++) {
                    int iy = oy * stride[1] + ky * dilation[1] - before[1];
                    if (iy < 0 || iy >= in[1]) {
                      continue;
                    }
                    int row = ((plane * in[0] + iz) * in[1] + iy) * in[2];
                    int taps = (((o * perGroup + c) * kernel[0] + kz) * kernel[1] + ky) * kernel[2];
                    for (int kx = 0; kx < kernel[2]; kx++) {
                      int ix = ox * stride[2] + kx * dilation[2] - before[2];
                      if (ix >= 0 && ix < in[2]) {
                        sum += (double) from[row + ix] * w[taps + kx];
                      }
                    }
                  }
                }
              }
              y[at++] = (float) sum;
            }
          }
        }
      }
    }
    return Elements.of(x.dtype(), shape(x, outChannels, out), y);
  }

  static Elements convTranspose(Call call) {
    Elements x = call.in(0);
    Elements weight = call.in(1);
    Attributes.ConvTranspose a = call.attributes(Attributes.ConvTranspose.class);
    int[] in = spatial(x.shape());
    int[] kernel = spatial(weight.shape());
    int[] stride = three(a.strides(), 1);
    int[] padding = three(a.padding(), 0);
    int[] extra = three(a.outputPadding(), 0);
    int[] out = new int[3];
    for (int i = 0; i < 3; i++) {
      out[i] = (in[i] - 1) * stride[i] - 2 * padding[i] + kernel[i] + extra[i];
      if (out[i] < 0) {
        throw call.fail("padding " + a.padding() + " cuts more than there is of " + x);
      }
    }
    int batch = x.dim(0);
    int channels = x.dim(1);
    int outPerGroup = weight.dim(1);
    int outChannels = outPerGroup * a.groups();
    int perGroup = channels / a.groups();
    double[] sum = new double[Layout.count(new int[] {batch, outChannels, out[0], out[1], out[2]})];
    int plane = out[0] * out[1] * out[2];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = Products.bias(call.optional(2), i / plane % outChannels);
    }
    int at = 0;
    for (int b = 0; b < batch; b++) {
      for (int c = 0; c < channels; c++) {
        int firstOut = c / perGroup * outPerGroup;
        for (int iz = 0; iz < in[0]; iz++) {
          for (int iy = 0; iy < in[1]; iy++) {
            for (int ix = 0; ix < in[2]; ix++) {
              double value = x.floats()[at++];
              for (int o = 0; o < outPerGroup; o++) {
                int to = b * outChannels + firstOut + o;
                int tap = (c * outPerGroup + o) * kernel[0] * kernel[1] * kernel[2];
                for (int kz = 0; kz < kernel[0]; kz++) {
                  for (int ky = 0; ky < kernel[1]; ky++) {
                    for (int kx = 0; kx < kernel[2]; kx++, tap++) {
                      int oz = iz * stride[0] + kz - padding[0];
                      int oy = iy * stride[1] + ky - padding[1];
                      int ox = ix * stride[2] + kx - padding[2];
                      if (within(oz, out[0]) && within(oy, out[1]) && within(ox, out[2])) {
                        sum[((to * out[0] + oz) * out[1] + oy) * out[2] + ox] +=
                            value * weight.floats()[tap];
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
    float[] y = new float[sum.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = (float) sum[i];
    }
    return Elements.of(x.dtype(), shape(x, outChannels, out), y);
  }

  private static boolean within(int index, int length) {
    return index >= 0 && index < length;
  }

  private static int[] spatial(int[] shape) {
    int[] three = {1, 1, 1};
    int count = shape.length - 2;
    System.arraycopy(shape, 2, three, 3 - count, count);
    return three;
  }

  private static int[] three(List<Integer> values, int missing) {
    int[] three = new int[3];
    Arrays.fill(three, missing);
    for (int i = 0; i < values.size(); i++) {
      three[3 - values.size() + i] = values.get(i);
    }
    return three;
  }

  private static int[] shape(Elements x, int channels, int[] three) {
    int[] shape = x.shape().clone();
    shape[1] = channels;
    int count = shape.length - 2;
    System.arraycopy(three, 3 - count, shape, 2, count);
    return shape;
  }
}
