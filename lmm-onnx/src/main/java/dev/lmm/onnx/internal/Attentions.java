package dev.lmm.onnx.internal;

import static dev.lmm.onnx.internal.Lowering.in;

import dev.lmm.core.graph.Attributes.Attention;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Attention without kept keys: the runtime's fused kernel where it computes the same, which without
 * mask never holds the scores; otherwise composed of products and a softmax.
 */
final class Attentions {
  /**
   * What is added to the score of a hidden key. Not minus infinity, which gives NaN where a query
   * sees nothing; large enough that the softmax of any other score drowns it completely.
   */
  private static final double HIDDEN = -1e30;

  private Attentions() {}

  /** Whether the fused kernel takes a node. It adds the biases of the three projections itself. */
  static boolean isFused(Node node) {
    Attention a = node.attributes(Attention.class);
    return a.heads() == a.kvHeads() && !a.probabilities() && !perHead(node.optionalInput(3));
  }

  private static boolean perHead(@Nullable Value mask) {
    return mask != null && mask.rank() == 4 && !mask.dim(1).is(1);
  }

  static List<String> lower(Lowering to, Node node) {
    if (to.fusions().isOneQuery(node)) {
      return List.of(OneQuery.lower(to, node));
    }
    Attention a = node.attributes(Attention.class);
    Visible visible = visible(to, node, a);
    return isFused(node)
        ? List.of(fused(to, node, a, visible))
        : composed(to, node, a, visible).subList(0, node.outputs().size());
  }

  /**
   * Which keys a query sees.
   *
   * @param allowed BOOL that broadcasts to the scores, or null for all
   * @param causal whether the kernel must hide later keys itself
   * @param complete whether every query sees something
   */
  private record Visible(@Nullable String allowed, boolean causal, boolean complete) {}

  private static Visible visible(Lowering to, Node node, Attention a) {
    Dim queries = node.input(0).dim(1);
    Dim keys = node.input(1).dim(1);
    Value mask = node.optionalInput(3);
    String allowed = mask == null ? null : to.of(mask);
    boolean square = queries.equals(keys);
    if (!a.causal()) {
      return new Visible(allowed, false, mask == null);
    }
    if (square && a.window() == 0 && mask == null) {
      return new Visible(null, true, true);
    }
    String key = "causal " + queries + " " + keys + " " + a.window();
    String causal = to.shared(key, () -> causal(to, queries, keys, a.window()));
    String both =
        allowed == null
            ? causal
            : to.shared(key + " " + allowed, () -> to.op(key, "And", in(allowed, causal)));
    return new Visible(both, false, square && mask == null);
  }

  /** Which of the keys each query sees, BOOL [queries, keys]. */
  private static String causal(Lowering to, Dim queries, Dim keys, int window) {
    String path = "causal";
    String query = range(to, path, queries);
    String key = range(to, path, keys);
    String last = to.op(path, "Add", in(query, to.lengths().one(keys.minus(queries))));
    last = to.op(path, "Unsqueeze", in(last, to.longs(1)));
    String allowed = to.op(path, "LessOrEqual", in(key, last));
    if (window > 0) {
      String first = to.op(path, "Sub", in(last, to.longs(window)));
      allowed = to.op(path, "And", in(allowed, to.op(path, "Less", in(first, key))));
    }
    return allowed;
  }

  /** 0 ... length-1, I64. */
  static String range(Lowering to, String path, Dim length) {
    return to.shared(
        "range " + length,
        () -> to.op(path, "Range", in(to.integer(0), to.lengths().scalar(length), to.integer(1))));
  }

  /** What is added to the scores: the bias where a key is seen. Null if nothing is. */
  static @Nullable String addition(
      Lowering to, Node node, @Nullable String allowed, @Nullable Value bias) {
    if (allowed == null) {
      return to.ofOptional(bias);
    }
    String seen = bias == null ? to.scalar(0) : to.of(bias);
    return to.shared(
        "hidden " + allowed + " " + seen,
        () -> to.op(node.name(), "Where", in(allowed, seen, to.scalar(HIDDEN))));
  }

  private static String fused(Lowering to, Node node, Attention a, Visible visible) {
    String path = node.name();
    Value query = node.input(0);
    Dim queries = query.dim(1);
    Dim keys = node.input(1).dim(1);
    Value bias = node.optionalInput(4);
    String addition = addition(to, node, visible.allowed(), bias);
    if (addition != null) {
      String scores = addition;
      // The kernel broadcasts over batch and heads only, and wants four axes.
      Dim batch = firstOf(node, 0);
      Dim heads = firstOf(node, 1);
      Shape shape = new Shape(List.of(batch, heads, queries, keys));
      addition =
          to.shared(
              "scores " + scores + " " + shape,
              () -> to.op(path, "Expand", in(scores, to.lengths().vector(shape))));
    }
    String result =
        to.microsoft(
            path,
            "MultiHeadAttention",
            in(
                to.of(query),
                to.of(node.input(1)),
                to.of(node.input(2)),
                projectionBias(to, node),
                null,
                addition),
            Attr.of("num_heads", (long) a.heads()),
            Attr.of("scale", a.scale()),
            Attr.of("unidirectional", visible.causal()));
    if (visible.allowed() == null || visible.complete()) {
      return result;
    }
    // Not per head, so the mask [.., queries or 1, keys or 1] says for each query if it sees any.
    String allowed = visible.allowed();
    String any =
        to.shared(
            "any " + allowed,
            () -> {
              String number = to.cast(path, allowed, DType.F32);
              String most = to.op(path, "ReduceMax", in(number, to.longs(-1)));
              int rank = maskRank(node);
              return rank == 4 ? to.op(path, "Squeeze", in(most, to.longs(1))) : most;
            });
    return to.op(path, "Mul", in(result, any));
  }

  private static int maskRank(Node node) {
    Value mask = node.optionalInput(3);
    return mask == null ? 2 : Math.max(2, mask.rank());
  }

  /** The length of one of the first two axes of what is added to the scores: 1 or all. */
  private static Dim firstOf(Node node, int axis) {
    Dim whole = axis == 0 ? node.input(0).dim(0) : Dim.of(node.attributes(Attention.class).heads());
    for (int i = 3; i <= 4; i++) {
      Value value = node.optionalInput(i);
      if (value != null) {
        int own = value.rank() - 4 + axis;
        if (own >= 0 && !value.dim(own).is(1)) {
          return whole;
        }
      }
    }
    return Dim.of(1);
  }

  /** The biases of the three projections, one after another; zeros where one has none. */
  private static @Nullable String projectionBias(Lowering to, Node node) {
    List<@Nullable String> parts = new ArrayList<>();
    boolean any = false;
    for (int i = 0; i < 3; i++) {
      Value bias = to.fusions().leftBias(node.input(i));
      any |= bias != null;
      parts.add(bias == null ? to.filled(node.input(i).dim(2), 0) : to.of(bias));
    }
    return any ? to.op(node.name() + "/bias", "Concat", parts, Attr.of("axis", 0L)) : null;
  }

  private static List<String> composed(Lowering to, Node node, Attention a, Visible visible) {
    String path = node.name();
    String allowed = visible.allowed();
    if (visible.causal()) {
      Dim queries = node.input(0).dim(1);
      String key = "causal " + queries + " " + queries + " 0";
      allowed = to.shared(key, () -> causal(to, queries, queries, 0));
    }
    Shape keys = heads(node.input(1), a.kvHeads());
    Shape values = heads(node.input(2), a.kvHeads());
    Shape keysByHead = swapped(keys);
    Shape valuesByHead = swapped(values);
    String k =
        to.transpose(
            path, to.reshape(path, to.of(node.input(1)), node.input(1).shape(), keys), 0, 2, 1, 3);
    String v =
        to.transpose(
            path,
            to.reshape(path, to.of(node.input(2)), node.input(2).shape(), values),
            0,
            2,
            1,
            3);
    return scored(
        to,
        node,
        new Heads(a.heads(), a.kvHeads(), a.scale()),
        new Operand(k, keysByHead),
        new Operand(v, valuesByHead),
        addition(to, node, allowed, node.optionalInput(4)),
        visible.complete() ? null : allowed);
  }

  private static Shape heads(Value value, int heads) {
    long width = value.dim(2).fixed().orElseThrow();
    return new Shape(List.of(value.dim(0), value.dim(1), Dim.of(heads), Dim.of(width / heads)));
  }

  private static Shape swapped(Shape shape) {
    return new Shape(List.of(shape.dim(0), shape.dim(2), shape.dim(1), shape.dim(3)));
  }

  /** How the heads are grouped, and the factor of the scores. */
  record Heads(int query, int kv, double scale) {}

  /** A value of the model and its shape. */
  record Operand(String name, Shape shape) {}

  /**
   * Attention composed of products.
   *
   * @param node its first input is the query [batch, queries, heads*d]
   * @param keys [batch, kv, keys, d]
   * @param values [batch, kv, keys, dv]
   * @param addition added to the scores, or null
   * @param allowed if not null, queries that see nothing are given zeros by it
   * @return output [batch, queries, heads*dv] and probabilities [batch, heads, queries, keys]
   */
  static List<String> scored(
      Lowering to,
      Node node,
      Heads heads,
      Operand keys,
      Operand values,
      @Nullable String addition,
      @Nullable String allowed) {
    String path = node.name();
    Value query = node.input(0);
    Dim batch = query.dim(0);
    Dim queries = query.dim(1);
    Dim length = keys.shape().dim(2);
    Dim all = Dim.of(heads.query());
    Dim kv = Dim.of(heads.kv());
    Dim group = Dim.of(heads.query() / heads.kv());
    boolean grouped = heads.query() != heads.kv();
    Shape byHead = heads(query, heads.query());
    String q = to.reshape(path, to.of(query), query.shape(), byHead);
    q = to.transpose(path, q, 0, 2, 1, 3);
    String k = keys.name();
    String v = values.name();
    Shape scores = new Shape(List.of(batch, all, queries, length));
    Shape groupedScores = new Shape(List.of(batch, kv, group, queries, length));
    if (grouped) {
      Shape five = new Shape(List.of(batch, kv, group, queries, byHead.dim(3)));
      q = to.reshape(path, q, swapped(byHead), five);
      k = to.op(path, "Unsqueeze", in(k, to.longs(2)));
      v = to.op(path, "Unsqueeze", in(v, to.longs(2)));
    }
    String score = Products.timesTransposed(to, path, q, k, heads.scale());
    if (grouped) {
      score = to.reshape(path, score, groupedScores, scores);
    }
    if (addition != null) {
      score = to.op(path, "Add", in(score, addition));
    }
    String probabilities = to.op(path, "Softmax", in(score), Attr.of("axis", -1L));
    if (allowed != null) {
      String number = to.shared("f32 " + allowed, () -> to.cast(path, allowed, DType.F32));
      probabilities = to.op(path, "Mul", in(probabilities, number));
    }
    String weights =
        grouped ? to.reshape(path, probabilities, scores, groupedScores) : probabilities;
    String out = to.op(path, "MatMul", in(weights, v));
    Shape outByHead = new Shape(List.of(batch, all, queries, values.shape().dim(3)));
    if (grouped) {
      Shape five = new Shape(List.of(batch, kv, group, queries, values.shape().dim(3)));
      out = to.reshape(path, out, five, outByHead);
    }
    out = to.transpose(path, out, 0, 2, 1, 3);
    out = to.reshape(path, out, swapped(outByHead), node.output().shape());
    return List.of(out, probabilities);
  }
}
