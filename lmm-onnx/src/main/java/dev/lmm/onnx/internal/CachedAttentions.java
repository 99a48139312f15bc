package dev.lmm.onnx.internal;

import static dev.lmm.onnx.internal.Lowering.in;

import dev.lmm.core.graph.Attributes.CachedAttention;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import java.util.List;

/**
 * Attention over kept keys and values. Every row of a batch may have kept another number of
 * entries. New entries are scattered into the state, which the run pins as input and output at
 * once, so that nothing else of it moves.
 */
final class CachedAttentions {
  private CachedAttentions() {}

  /**
   * Whether a state may be updated where it lies: the operator alone reads it, and what it makes of
   * it is what the state becomes.
   */
  static boolean inPlace(Uses uses, Value state, Value next) {
    Node reader = uses.readers(state).size() == 1 ? uses.readers(state).get(0) : null;
    return Lowering.is(reader, Op.CACHED_ATTENTION)
        && !state.equals(next)
        && uses.producer(next) == reader
        && state.dtype() == DType.F32
        && reader.outputs().indexOf(next) == (reader.inputs().indexOf(state) - 2);
  }

  static List<String> lower(Lowering to, Node node) {
    return isGrouped(to, node) ? grouped(to, node) : composed(to, node);
  }

  /**
   * Whether the runtime's own operator computes a node. It takes no bias, one head size for keys
   * and values, and several new entries for one row only; it reads only what is kept, not the whole
   * state.
   */
  private static boolean isGrouped(Lowering to, Node node) {
    Dim width = node.input(3).dim(3);
    long head = width.fixed().orElse(0);
    return node.optionalInput(6) == null
        && width.equals(node.input(4).dim(3))
        && head % 8 == 0
        && (node.input(0).dim(0).is(1) || node.input(0).dim(1).is(1))
        && inPlace(to, node, 1)
        && inPlace(to, node, 2);
  }

  private static boolean inPlace(Lowering to, Node node, int output) {
    Value state = node.input(output + 2);
    Value next = node.outputs().get(output);
    return next.equals(to.graph().states().get(state)) && inPlace(to.uses(), state, next);
  }

  private static List<String> grouped(Lowering to, Node node) {
    String path = node.name();
    CachedAttention a = node.attributes(CachedAttention.class);
    Value past = node.input(5);
    Dim length = node.input(0).dim(1);
    String last =
        to.shared(
            "last " + past.name() + " " + length,
            () -> {
              String more = to.cast(path, to.lengths().one(length.plus(-1)), DType.I32);
              return to.op(path, "Add", in(to.of(past), more));
            });
    String total =
        to.shared(
            "total " + last,
            () -> {
              String most = to.op(path, "ReduceMax", in(last), Attr.of("keepdims", 0L));
              return to.op(path, "Add", in(most, to.cast(path, to.integer(1), DType.I32)));
            });
    String result = to.model().unique(path + "/GroupQueryAttention");
    String keys = to.nextName(node.outputs().get(1));
    String values = to.nextName(node.outputs().get(2));
    to.model()
        .node(
            path,
            OnnxModel.MICROSOFT,
            "GroupQueryAttention",
            in(
                to.of(node.input(0)),
                to.of(node.input(1)),
                to.of(node.input(2)),
                to.of(node.input(3)),
                to.of(node.input(4)),
                last,
                total),
            List.of(result, keys, values),
            Attr.of("num_heads", (long) a.heads()),
            Attr.of("kv_num_heads", (long) a.kvHeads()),
            Attr.of("scale", a.scale()),
            Attr.of("local_window_size", a.window() > 0 ? a.window() : -1L));
    return List.of(result, keys, values);
  }

  private static List<String> composed(Lowering to, Node node) {
    String path = node.name();
    CachedAttention a = node.attributes(CachedAttention.class);
    Value query = node.input(0);
    Value keyState = node.input(3);
    Value past = node.input(5);
    Dim batch = query.dim(0);
    Dim length = query.dim(1);
    Dim capacity = keyState.dim(2);

    // The place of each new entry, I64 [batch, s].
    String positions =
        to.shared(
            "positions " + past.name() + " " + length,
            () -> {
              String kept = to.cast(path, to.of(past), DType.I64);
              kept = to.op(path, "Unsqueeze", in(kept, to.longs(1)));
              return to.op(path, "Add", in(kept, Attentions.range(to, path, length)));
            });
    String targets =
        to.shared(
            "targets " + positions + " " + a.kvHeads(),
            () -> targets(to, path, positions, batch, a.kvHeads(), length));
    String keys = updated(to, node, 1, targets, a.kvHeads());
    String values = updated(to, node, 2, targets, a.kvHeads());

    // Query i of a row sees the entries up to its own place.
    String allowed =
        to.shared(
            "kept " + positions + " " + capacity + " " + a.window(),
            () -> {
              String last = to.op(path, "Unsqueeze", in(positions, to.longs(1, 3)));
              String entry = Attentions.range(to, path, capacity);
              String seen = to.op(path, "LessOrEqual", in(entry, last));
              if (a.window() > 0) {
                String first = to.op(path, "Sub", in(last, to.longs(a.window())));
                seen = to.op(path, "And", in(seen, to.op(path, "Less", in(first, entry))));
              }
              return seen;
            });
    List<String> results =
        Attentions.scored(
            to,
            node,
            new Attentions.Heads(a.heads(), a.kvHeads(), a.scale()),
            new Attentions.Operand(keys, keyState.shape()),
            new Attentions.Operand(values, node.input(4).shape()),
            Attentions.addition(to, node, allowed, node.optionalInput(6)),
            null);
    return List.of(results.get(0), keys, values);
  }

  /** Where in a state each new row goes: row of the batch, head, place; I64 [batch, kv, s, 3]. */
  private static String targets(
      Lowering to, String path, String positions, Dim batch, int kvHeads, Dim length) {
    Shape each = new Shape(List.of(batch, Dim.of(kvHeads), length));
    String shape = to.lengths().vector(each);
    String row = Attentions.range(to, path, batch);
    row = to.op(path, "Unsqueeze", in(row, to.longs(1, 2)));
    String head =
        to.op(path, "Unsqueeze", in(Attentions.range(to, path, Dim.of(kvHeads)), to.longs(1)));
    String place = Indexing.nonNegative(to, path, positions);
    place = to.op(path, "Unsqueeze", in(place, to.longs(1)));
    return to.op(
        path,
        "Concat",
        in(
            column(to, path, row, shape),
            column(to, path, head, shape),
            column(to, path, place, shape)),
        Attr.of("axis", 3L));
  }

  private static String column(Lowering to, String path, String index, String shape) {
    String whole = to.op(path, "Expand", in(index, shape));
    return to.op(path, "Unsqueeze", in(whole, to.longs(3)));
  }

  /** The state with the new rows in it. */
  private static String updated(Lowering to, Node node, int input, String targets, int kvHeads) {
    String path = node.name();
    Value rows = node.input(input);
    Value state = node.input(input + 2);
    Shape byPlace = new Shape(List.of(rows.dim(0), rows.dim(1), Dim.of(kvHeads), state.dim(3)));
    String fresh = to.reshape(path, to.of(rows), rows.shape(), byPlace);
    fresh = to.transpose(path, fresh, 0, 2, 1, 3);
    String name = to.nextName(node.outputs().get(input));
    to.model().node(path, "", "ScatterND", in(to.of(state), targets, fresh), List.of(name));
    return name;
  }
}
