package dev.lmm.core.engine.reference;

import dev.lmm.core.graph.Attributes;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Sums of products, each in double precision. */
final class Products {
  private Products() {}

  /** The sum of a[from + i] * b[start + i]. */
  static double dot(float[] a, int from, float[] b, int start, int count) {
    // Four sums at once, for a processor can add to all of them at the same time.
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = 0;
    for (; i + 3 < count; i += 4) {
      s0 += (double) a[from + i] * b[start + i];
      s1 += (double) a[from + i + 1] * b[start + i + 1];
      s2 += (double) a[from + i + 2] * b[start + i + 2];
      s3 += (double) a[from + i + 3] * b[start + i + 3];
    }
    for (; i < count; i++) {
      s0 += (double) a[from + i] * b[start + i];
    }
    return s0 + s1 + s2 + s3;
  }

  static Elements linear(Call call) {
    Elements x = call.in(0);
    Elements bias = call.optional(2);
    QuantizedMatrix quantized = call.quantized();
    if (quantized != null) {
      return quantized(x, quantized, bias);
    }
    Elements weight = call.in(1);
    int out = weight.dim(0);
    int in = weight.dim(1);
    int rows = Layout.count(x.shape(), 0, x.rank() - 1);
    float[] y = new float[Layout.count(new int[] {rows, out})];
    for (int row = 0; row < rows; row++) {
      for (int o = 0; o < out; o++) {
        double sum = dot(x.floats(), row * in, weight.floats(), o * in, in);
        y[row * out + o] = (float) (sum + (bias == null ? 0 : bias.floats()[o]));
      }
    }
    return Elements.of(x.dtype(), Layout.with(x.shape(), x.rank() - 1, out), y);
  }

  private static Elements quantized(Elements x, QuantizedMatrix weight, @Nullable Elements bias) {
    int out = weight.rows();
    float[] y = weight.times(x.floats(), Layout.count(x.shape(), 0, x.rank() - 1));
    for (int i = 0; bias != null && i < y.length; i++) {
      y[i] += bias.floats()[i % out];
    }
    return Elements.of(x.dtype(), Layout.with(x.shape(), x.rank() - 1, out), y);
  }

  static Elements matmul(Call call) {
    Attributes.MatMul attributes = call.attributes(Attributes.MatMul.class);
    // Both as rows along the inner axis: a [..., m, k] and b [..., n, k].
    Elements a = attributes.transposeA() ? swapLast(call.in(0)) : call.in(0);
    Elements b = attributes.transposeB() ? call.in(1) : swapLast(call.in(1));
    int m = a.dim(-2);
    int n = b.dim(-2);
    int k = a.dim(-1);
    int[] leadA = Arrays.copyOf(a.shape(), a.rank() - 2);
    int[] leadB = Arrays.copyOf(b.shape(), b.rank() - 2);
    int[] lead = Layout.broadcast(leadA, leadB);
    int[] matrixA = Layout.broadcastOffsets(leadA, lead);
    int[] matrixB = Layout.broadcastOffsets(leadB, lead);
    int[] shape = Layout.append(lead, lead.length, m, n);
    float[] y = new float[Layout.count(shape)];
    for (int p = 0; p < matrixA.length; p++) {
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          y[(p * m + i) * n + j] =
              (float)
                  dot(
                      a.floats(),
                      (matrixA[p] * m + i) * k,
                      b.floats(),
                      (matrixB[p] * n + j) * k,
                      k);
        }
      }
    }
    return Elements.of(a.dtype(), shape, y);
  }

  private static Elements swapLast(Elements x) {
    int[] order = new int[x.rank()];
    Arrays.setAll(order, i -> i);
    order[x.rank() - 1] = x.rank() - 2;
    order[x.rank() - 2] = x.rank() - 1;
    return Shapes.transpose(x, order);
  }

  static Elements embedding(Call call) {
    Elements ids = call.in(0);
    Elements table = call.in(1);
    int width = table.dim(1);
    Elements out = Elements.zeros(table.dtype(), Layout.append(ids.shape(), ids.rank(), width));
    for (int i = 0; i < ids.count(); i++) {
      int row = call.index(ids.longs()[i], table.dim(0), "id");
      out.put(i * width, table, row * width, width);
    }
    return out;
  }

  static Elements experts(Call call) {
    Elements x = call.in(0);
    Elements routing = call.in(1);
    Elements gate = call.in(2);
    Elements up = call.in(3);
    Elements down = call.in(4);
    Attributes.Activation activation = call.attributes(Attributes.Experts.class).activation();
    int tokens = x.dim(0);
    int d = x.dim(1);
    int experts = gate.dim(0);
    int hidden = gate.dim(1);
    float[] y = new float[tokens * d];
    double[] sum = new double[d];
    float[] h = new float[hidden];
    for (int t = 0; t < tokens; t++) {
      Arrays.fill(sum, 0);
      for (int e = 0; e < experts; e++) {
        float weight = routing.floats()[t * experts + e];
        if (weight == 0) {
          continue;
        }
        for (int i = 0; i < hidden; i++) {
          int row = (e * hidden + i) * d;
          double g = dot(x.floats(), t * d, gate.floats(), row, d);
          double u = dot(x.floats(), t * d, up.floats(), row, d);
          double activated =
              activation == Attributes.Activation.SILU ? Elementwise.silu(g) : Elementwise.gelu(g);
          h[i] = (float) (activated * u);
        }
        for (int i = 0; i < d; i++) {
          sum[i] += weight * dot(h, 0, down.floats(), (e * d + i) * hidden, hidden);
        }
      }
      for (int i = 0; i < d; i++) {
        y[t * d + i] = (float) sum[i];
      }
    }
    return Elements.of(x.dtype(), x.shape(), y);
  }

  /** The bias of a channel, 0 without one. */
  static double bias(@Nullable Elements bias, int channel) {
    return bias == null ? 0 : bias.floats()[channel];
  }
}
