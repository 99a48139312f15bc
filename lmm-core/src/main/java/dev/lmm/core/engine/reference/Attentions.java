package dev.lmm.core.engine.reference;

import dev.lmm.core.graph.Attributes;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Attention, and the rotation of what goes into it. */
final class Attentions {
  private Attentions() {}

  static List<Elements> attention(Call call) {
    Elements query = call.in(0);
    Elements key = call.in(1);
    Elements value = call.in(2);
    Attributes.Attention a = call.attributes(Attributes.Attention.class);
    int batch = query.dim(0);
    int queries = query.dim(1);
    int keys = key.dim(1);
    int heads = a.heads();
    int d = query.dim(2) / heads;
    int dv = value.dim(2) / a.kvHeads();
    int[] scoresShape = {batch, heads, queries, keys};
    Elements mask = call.optional(3);
    Elements bias = call.optional(4);
    int[] ofMask = mask == null ? null : Layout.broadcastStrides(mask.shape(), scoresShape);
    int[] ofBias = bias == null ? null : Layout.broadcastStrides(bias.shape(), scoresShape);
    float[] out = new float[Layout.count(new int[] {batch, queries, heads, dv})];
    float[] probabilities = a.probabilities() ? new float[Layout.count(scoresShape)] : new float[0];
    double[] row = new double[keys];
    for (int b = 0; b < batch; b++) {
      for (int h = 0; h < heads; h++) {
        int kvHead = h / (heads / a.kvHeads());
        for (int q = 0; q < queries; q++) {
          int position = q + keys - queries;
          for (int k = 0; k < keys; k++) {
            boolean attends =
                (!a.causal() || k <= position)
                    && (a.window() == 0 || k > position - a.window())
                    && (mask == null || mask.longs()[at(ofMask, b, h, q, k)] != 0);
            row[k] =
                attends
                    ? a.scale()
                            * Products.dot(
                                query.floats(),
                                ((b * queries + q) * heads + h) * d,
                                key.floats(),
                                ((b * keys + k) * a.kvHeads() + kvHead) * d,
                                d)
                        + (bias == null ? 0 : bias.floats()[at(ofBias, b, h, q, k)])
                    : Double.NEGATIVE_INFINITY;
          }
          softmax(row, keys);
          if (a.probabilities()) {
            for (int k = 0; k < keys; k++) {
              probabilities[((b * heads + h) * queries + q) * keys + k] = (float) row[k];
            }
          }
          int to = ((b * queries + q) * heads + h) * dv;
          for (int i = 0; i < dv; i++) {
            double sum = 0;
            for (int k = 0; k < keys; k++) {
              if (row[k] != 0) {
                sum += row[k] * value.floats()[((b * keys + k) * a.kvHeads() + kvHead) * dv + i];
              }
            }
            out[to + i] = (float) sum;
          }
        }
      }
    }
    Elements result = Elements.of(query.dtype(), new int[] {batch, queries, heads * dv}, out);
    return a.probabilities()
        ? List.of(result, Elements.of(query.dtype(), scoresShape, probabilities))
        : List.of(result);
  }

  static List<Elements> cached(Call call) {
    Elements query = call.in(0);
    Attributes.CachedAttention a = call.attributes(Attributes.CachedAttention.class);
    int batch = query.dim(0);
    int s = query.dim(1);
    int heads = a.heads();
    int d = query.dim(2) / heads;
    int dv = call.in(2).dim(2) / a.kvHeads();
    int capacity = call.in(3).dim(2);
    long[] past = call.in(5).longs();
    for (int b = 0; b < batch; b++) {
      if (past[b] < 0 || past[b] + s > capacity) {
        throw call.fail(
            "row "
                + b
                + " keeps "
                + past[b]
                + " entries and gets "
                + s
                + " more; the state has room for "
                + capacity);
      }
    }
    Elements keys = written(call.in(3), call.in(1), a.kvHeads(), d, past);
    Elements values = written(call.in(4), call.in(2), a.kvHeads(), dv, past);
    Elements bias = call.optional(6);
    int[] ofBias =
        bias == null
            ? null
            : Layout.broadcastStrides(bias.shape(), new int[] {batch, heads, s, capacity});
    float[] out = new float[Layout.count(new int[] {batch, s, heads, dv})];
    double[] row = new double[capacity];
    for (int b = 0; b < batch; b++) {
      for (int h = 0; h < heads; h++) {
        int kept = (b * a.kvHeads() + h / (heads / a.kvHeads())) * capacity;
        for (int q = 0; q < s; q++) {
          int position = (int) past[b] + q;
          for (int k = 0; k <= position; k++) {
            row[k] =
                a.window() == 0 || k > position - a.window()
                    ? a.scale()
                            * Products.dot(
                                query.floats(),
                                ((b * s + q) * heads + h) * d,
                                keys.floats(),
                                (kept + k) * d,
                                d)
                        + (bias == null ? 0 : bias.floats()[at(ofBias, b, h, q, k)])
                    : Double.NEGATIVE_INFINITY;
          }
          softmax(row, position + 1);
          int to = ((b * s + q) * heads + h) * dv;
          for (int i = 0; i < dv; i++) {
            double sum = 0;
            for (int k = 0; k <= position; k++) {
              if (row[k] != 0) {
                sum += row[k] * values.floats()[(kept + k) * dv + i];
              }
            }
            out[to + i] = (float) sum;
          }
        }
      }
    }
    return List.of(Elements.of(query.dtype(), new int[] {batch, s, heads * dv}, out), keys, values);
  }

  /** A state [batch, heads, capacity, d] with new entries [batch, s, heads*d] at their places. */
  private static Elements written(Elements state, Elements entries, int heads, int d, long[] past) {
    Elements next = state.copy();
    int s = entries.dim(1);
    int capacity = state.dim(2);
    for (int b = 0; b < past.length; b++) {
      for (int i = 0; i < s; i++) {
        for (int h = 0; h < heads; h++) {
          int to = ((b * heads + h) * capacity + (int) past[b] + i) * d;
          next.put(to, entries, ((b * s + i) * heads + h) * d, d);
        }
      }
    }
    return next;
  }

  private static int at(int @Nullable [] strides, int b, int h, int q, int k) {
    if (strides == null) {
      throw new IllegalStateException();
    }
    return b * strides[0] + h * strides[1] + q * strides[2] + k * strides[3];
  }

  /** Softmax in place; zeros where every score is minus infinity: there is nothing to attend to. */
  private static void softmax(double[] row, int count) {
    double max = Double.NEGATIVE_INFINITY;
    for (int k = 0; k < count; k++) {
      max = Math.max(max, row[k]);
    }
    double sum = 0;
    for (int k = 0; k < count; k++) {
      row[k] = max == Double.NEGATIVE_INFINITY ? 0 : Math.exp(row[k] - max);
      sum += row[k];
    }
    for (int k = 0; k < count && sum != 0; k++) {
      row[k] /= sum;
    }
  }

  static Elements rotary(Call call) {
    Elements x = call.in(0);
    Elements cos = call.in(1);
    Elements sin = call.in(2);
    Attributes.Rotary a = call.attributes(Attributes.Rotary.class);
    int batch = x.dim(0);
    int s = x.dim(1);
    int d = x.dim(2) / a.heads();
    int half = cos.dim(-1);
    boolean shared = cos.rank() == 2 || cos.dim(0) == 1;
    float[] in = x.floats();
    float[] out = in.clone();
    for (int b = 0; b < batch; b++) {
      for (int p = 0; p < s; p++) {
        int angles = ((shared ? 0 : b) * s + p) * half;
        for (int h = 0; h < a.heads(); h++) {
          int head = ((b * s + p) * a.heads() + h) * d;
          for (int i = 0; i < half; i++) {
            int first = head + (a.interleaved() ? 2 * i : i);
            int second = head + (a.interleaved() ? 2 * i + 1 : i + half);
            double c = cos.floats()[angles + i];
            double n = sin.floats()[angles + i];
            out[first] = (float) (in[first] * c - in[second] * n);
            out[second] = (float) (in[second] * c + in[first] * n);
          }
        }
      }
    }
    return Elements.of(x.dtype(), x.shape(), out);
  }
}
