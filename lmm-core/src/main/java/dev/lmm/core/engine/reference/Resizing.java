package dev.lmm.core.engine.reference;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Attributes.ResizeMode;

/** Resizing, one axis after the other, in double precision throughout. */
final class Resizing {
  private Resizing() {}

  /** Which pixels make one: consecutive ones from first on, clamped to the axis. */
  private static final class Taps {
    final int first;
    final double[] weights;

    Taps(int first, double[] weights) {
      this.first = first;
      this.weights = weights;
    }
  }

  static Elements resize(Call call) {
    Elements x = call.in(0);
    Attributes.Resize a = call.attributes(Attributes.Resize.class);
    int[] size = call.evaluate(a.size());
    int[] shape = x.shape().clone();
    double[] values = new double[x.count()];
    for (int i = 0; i < values.length; i++) {
      values[i] = x.floats()[i];
    }
    for (int i = 0; i < size.length; i++) {
      int axis = 2 + i;
      if (shape[axis] == 0 && size[i] > 0) {
        throw call.fail("an axis of no pixels of " + x + " cannot grow to " + size[i]);
      }
      values = axis(values, Layout.split(shape, axis), taps(a, shape[axis], size[i]));
      shape[axis] = size[i];
    }
    float[] out = new float[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) values[i];
    }
    return Elements.of(x.dtype(), shape, out);
  }

  private static double[] axis(double[] in, Layout.Split split, Taps[] taps) {
    double[] out = new double[Layout.count(new int[] {split.outer(), taps.length, split.inner()})];
    int at = 0;
    for (int o = 0; o < split.outer(); o++) {
      for (Taps tap : taps) {
        for (int i = 0; i < split.inner(); i++) {
          double sum = 0;
          for (int j = 0; j < tap.weights.length; j++) {
            int from = Math.min(Math.max(tap.first + j, 0), split.length() - 1);
            sum += tap.weights[j] * in[(o * split.length() + from) * split.inner() + i];
          }
          out[at++] = sum;
        }
      }
    }
    return out;
  }

  private static Taps[] taps(Attributes.Resize a, int in, int out) {
    Taps[] taps = new Taps[out];
    for (int i = 0; i < out; i++) {
      if (a.mode() == ResizeMode.NEAREST) {
        taps[i] = new Taps((int) ((long) i * in / out), new double[] {1});
      } else if (a.antialias()) {
        taps[i] = widened(a.mode(), i, in, out);
      } else {
        double position =
            !a.alignCorners()
                ? (i + 0.5) * in / out - 0.5
                : out == 1 ? 0 : (double) i * (in - 1) / (out - 1);
        taps[i] = plain(a.mode(), position);
      }
    }
    return taps;
  }

  private static Taps plain(ResizeMode mode, double position) {
    int first = (int) Math.floor(position);
    double t = position - first;
    if (mode == ResizeMode.LINEAR) {
      return new Taps(first, new double[] {1 - t, t});
    }
    double a = -0.75;
    return new Taps(
        first - 1, new double[] {cubic(t + 1, a), cubic(t, a), cubic(1 - t, a), cubic(2 - t, a)});
  }

  /** A filter as wide as the step between new pixels; what falls off the edge is left out. */
  private static Taps widened(ResizeMode mode, int i, int in, int out) {
    double scale = (double) in / out;
    double stretch = Math.max(scale, 1);
    double support = (mode == ResizeMode.LINEAR ? 1 : 2) * stretch;
    double center = scale * (i + 0.5);
    int first = Math.max((int) (center - support + 0.5), 0);
    int end = Math.min((int) (center + support + 0.5), in);
    double[] weights = new double[end - first];
    double sum = 0;
    for (int j = 0; j < weights.length; j++) {
      double distance = Math.abs(first + j - center + 0.5) / stretch;
      weights[j] = mode == ResizeMode.LINEAR ? Math.max(1 - distance, 0) : cubic(distance, -0.5);
      sum += weights[j];
    }
    for (int j = 0; j < weights.length; j++) {
      weights[j] /= sum;
    }
    return new Taps(first, weights);
  }

  /** Keys' cubic convolution kernel at a distance of at least 0. */
  private static double cubic(double x, double a) {
    if (x < 1) {
      return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
  }
}
