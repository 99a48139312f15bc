package dev.lmm.onnx.internal;

import static dev.lmm.onnx.internal.Lowering.in;

import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Attributes.Attention;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import java.util.List;
import java.util.Objects;

/**
 * Attention of one query, as a pooled tower ends: its keys and values are never made. With k = Wk x
 * + bk the score q k of a head is (Wk^T q) x and a number that is the same for every key, which the
 * softmax takes away; and the weighted mean of v = Wv x + bv is Wv (weighted mean of x) + bv. For s
 * keys of width w this takes 2 w (w + s heads) multiplications instead of 2 s w^2.
 */
final class OneQuery {
  private final Lowering to;
  private final Node node;
  private final Node keys;
  private final Node values;
  private final Attention a;

  private OneQuery(Lowering to, Node node, Node keys, Node values) {
    this.to = to;
    this.node = node;
    this.keys = keys;
    this.values = values;
    this.a = node.attributes(Attention.class);
  }

  /** Whether an attention is computed so. */
  static boolean takes(Uses uses, WeightStore weights, Node node) {
    Attention a = node.attributes(Attention.class);
    Value mask = node.optionalInput(3);
    return node.input(0).dim(1).is(1)
        && a.heads() == a.kvHeads()
        && !a.probabilities()
        && !a.causal()
        && node.optionalInput(4) == null
        && (mask == null || (mask.rank() == 4 && mask.dim(1).is(1)))
        && isProjection(uses, weights, node, 1)
        && isProjection(uses, weights, node, 2);
  }

  private static boolean isProjection(Uses uses, WeightStore weights, Node node, int input) {
    Value made = node.input(input);
    Node linear = uses.producer(made);
    if (!Lowering.is(linear, Op.LINEAR) || uses.soleReader(made) != node) {
      return false;
    }
    Value weight = linear.input(1);
    return weight.kind() == Value.Kind.WEIGHT && weights.quantized(weight.weight()) == null;
  }

  static String lower(Lowering to, Node node) {
    Node keys = Objects.requireNonNull(to.uses().producer(node.input(1)));
    Node values = Objects.requireNonNull(to.uses().producer(node.input(2)));
    return new OneQuery(to, node, keys, values).lower();
  }

  private String lower() {
    String path = node.name();
    Value query = node.input(0);
    Dim batch = query.dim(0);
    Dim heads = Dim.of(a.heads());
    Dim one = Dim.of(1);
    Dim length = node.input(1).dim(1);
    Value read = keys.input(0);
    Value seen = values.input(0);

    // The query as each head's key projection sees it, [batch, heads, width of what is read].
    String q = byHead(to.of(query), query.shape(), query.dim(2));
    String u = to.op(path, "MatMul", in(q, weight(keys, query.dim(2))));
    u = to.transpose(path, u, 1, 0, 2);

    String score = Products.timesTransposed(to, path, u, to.of(read), a.scale());
    Shape three = new Shape(List.of(batch, heads, length));
    Value mask = node.optionalInput(3);
    String allowed = mask == null ? null : to.of(mask);
    if (allowed != null) {
      Shape four = new Shape(List.of(batch, heads, one, length));
      score = to.reshape(path, score, three, four);
      score = to.op(path, "Add", in(score, Attentions.addition(to, node, allowed, null)));
      score = to.reshape(path, score, four, three);
    }
    String probabilities = to.op(path, "Softmax", in(score), Attr.of("axis", -1L));

    String mean = to.op(path, "MatMul", in(probabilities, to.of(seen)));
    mean = to.transpose(path, mean, 1, 0, 2);
    Dim width = node.output().dim(2);
    String out = Products.timesTransposed(to, path, mean, weight(values, width), 1);
    out = to.transpose(path, out, 1, 0, 2);
    Dim perHead = Dim.of(width.fixed().orElseThrow() / a.heads());
    Shape ends = new Shape(List.of(batch, heads, perHead));
    out = to.reshape(path, out, ends, node.output().shape());
    Value bias = values.optionalInput(2);
    if (bias != null) {
      out = to.op(path, "Add", in(out, to.of(bias)));
    }
    if (allowed == null) {
      return out;
    }
    // A query that sees nothing gets zeros.
    String number = to.shared("f32 " + allowed, () -> to.cast(path, allowed, DType.F32));
    String any = to.op(path, "ReduceMax", in(number, to.longs(-1)));
    return to.op(path, "Mul", in(out, to.op(path, "Squeeze", in(any, to.longs(1)))));
  }

  /** [batch, 1, heads*d] to [heads, batch, d]. */
  private String byHead(String value, Shape from, Dim width) {
    Dim heads = Dim.of(a.heads());
    Dim perHead = Dim.of(width.fixed().orElseThrow() / a.heads());
    Shape three = new Shape(List.of(from.dim(0), heads, perHead));
    return to.transpose(node.name(), to.reshape(node.name(), value, from, three), 1, 0, 2);
  }

  /** The weight of a projection by head, [heads, d, width of what it reads]. */
  private String weight(Node linear, Dim width) {
    long in = linear.input(1).dim(1).fixed().orElseThrow();
    return to.weightAs(linear.input(1), a.heads(), width.fixed().orElseThrow() / a.heads(), in);
  }
}
