package dev.lmm.diffusion.internal.scheduler;

import dev.lmm.core.random.TorchGenerator;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A Brownian motion that can be asked for any of its increments, in any order: halves of an
 * interval are drawn from what the whole is, down to a millionth, each with a seed that is made of
 * the tree's and of its place. The numbers of torchsde 0.2.6's {@code BrownianInterval} with {@code
 * halfway_tree} and a tolerance of 1e-6, checked by goldens. Not thread-safe.
 */
final class BrownianTree {
  private static final int DIGITS = 6;

  /** Increments that are kept: a few for each of the tree's levels. */
  private static final int KEPT = 64;

  private final int size;
  private final long entropy;
  private final Node root;
  private final float[] whole;
  private final Map<Node, float[]> increments =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Node, float[]> eldest) {
          return size() > KEPT;
        }
      };

  /** An interval; its halves are made when they are asked for. */
  private static final class Node {
    final double start;
    final double end;
    final @Nullable Node parent;
    final long place;
    final int depth;
    double middle;
    @Nullable Node left;
    @Nullable Node right;

    Node(double start, double end, @Nullable Node parent, boolean isLeft) {
      this.start = start;
      this.end = end;
      this.parent = parent;
      this.place = parent == null ? 0 : 2 * parent.place + (isLeft ? 0 : 1);
      this.depth = parent == null ? 0 : parent.depth + 1;
    }
  }

  /**
   * Begins.
   *
   * @param start where it is 0
   * @param end at least start
   * @param size how many motions
   * @param entropy the seed, at least 0
   */
  BrownianTree(double start, double end, int size, long entropy) {
    this.size = size;
    this.entropy = entropy;
    root = new Node(rounded(start), rounded(end), null, true);
    float deviation = (float) Math.sqrt(end - start);
    whole = drawn(SeedSequence.firstWord(entropy));
    for (int i = 0; i < size; i++) {
      whole[i] *= deviation;
    }
  }

  /**
   * By how much the motions move.
   *
   * @param from at most {@code to}; what lies outside of the motion counts as its end
   * @param to the end of the increment
   * @return one number each
   */
  float[] increment(double from, double to) {
    double a = rounded(Math.min(Math.max(from, root.start), root.end));
    double b = rounded(Math.min(Math.max(to, root.start), root.end));
    float[] sum = new float[size];
    if (a < b) {
      add(root, a, b, sum);
    }
    return sum;
  }

  /** Python's {@code round}: of the exact value, half to even. */
  private static double rounded(double value) {
    return new BigDecimal(value).setScale(DIGITS, RoundingMode.HALF_EVEN).doubleValue();
  }

  /** From left to right, as the reference sums. */
  private void add(Node node, double from, double to, float[] sum) {
    if (from == node.start && to == node.end) {
      float[] increment = increment(node);
      for (int i = 0; i < size; i++) {
        sum[i] += increment[i];
      }
      return;
    }
    Node left = node.left;
    Node right = node.right;
    if (left == null || right == null) {
      node.middle = rounded(0.5 * (node.end + node.start));
      left = new Node(node.start, node.middle, node, true);
      right = new Node(node.middle, node.end, node, false);
      node.left = left;
      node.right = right;
    }
    if (from < node.middle) {
      add(left, from, Math.min(to, node.middle), sum);
    }
    if (to > node.middle) {
      add(right, Math.max(from, node.middle), to, sum);
    }
  }

  private float[] increment(Node node) {
    Node parent = node.parent;
    if (parent == null) {
      return whole;
    }
    float[] known = increments.get(node);
    if (known != null) {
      return known;
    }
    float[] both = increment(parent);
    double left = parent.middle - parent.start;
    double right = parent.end - parent.middle;
    double inverse = 1 / (parent.end - parent.start);
    float share = (float) left;
    float length = (float) inverse;
    float deviation = (float) Math.sqrt(left * right * inverse);
    float[] first = drawn(SeedSequence.firstWord(entropy, parent.place, parent.depth));
    float[] second = new float[size];
    for (int i = 0; i < size; i++) {
      first[i] = share * both[i] * length + deviation * first[i];
      second[i] = both[i] - first[i];
    }
    // One draw makes both.
    if (parent.left != null && parent.right != null) {
      increments.put(parent.left, first);
      increments.put(parent.right, second);
    }
    return node == parent.left ? first : second;
  }

  private float[] drawn(int seed) {
    return new TorchGenerator(seed).randn(size);
  }
}
