package dev.lmm.core.graph;

import java.util.EnumSet;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.function.ToLongFunction;

/**
 * The most memory that a run's inputs, intermediate results and outputs take at once: each result
 * comes with the node that makes it and goes after the last that reads it. Weights, constants and
 * states are not counted.
 */
public final class PeakMemory {
  /** What writes its result over an input that nobody reads afterwards. */
  private static final Set<Op> IN_PLACE =
      EnumSet.complementOf(
          EnumSet.of(
              Op.LINEAR,
              Op.MATMUL,
              Op.EMBEDDING,
              Op.CONV,
              Op.CONV_TRANSPOSE,
              Op.LAYER_NORM,
              Op.RMS_NORM,
              Op.GROUP_NORM,
              Op.ATTENTION,
              Op.CACHED_ATTENTION,
              Op.ROTARY,
              Op.TRANSPOSE,
              Op.EXPAND,
              Op.CONCAT,
              Op.SLICE,
              Op.PAD,
              Op.RESIZE,
              Op.GATHER,
              Op.GATHER_ELEMENTS,
              Op.SCATTER_ROWS,
              Op.EXPERTS));

  private final Graph graph;
  private final ToLongFunction<String> symbols;
  private final int floatBytes;
  private final IdentityHashMap<Value, Value> owners = new IdentityHashMap<>();
  private final IdentityHashMap<Value, Integer> lastUse = new IdentityHashMap<>();
  private final Set<Value> kept = new HashSet<>();

  private PeakMemory(Graph graph, ToLongFunction<String> symbols, int floatBytes) {
    this.graph = graph;
    this.symbols = symbols;
    this.floatBytes = floatBytes;
  }

  /**
   * Counts.
   *
   * @param graph the graph
   * @param symbols the length of each symbol
   * @param floatBytes bytes of a floating point number as the engine computes with it, 2 or 4
   * @return bytes
   */
  public static long of(Graph graph, ToLongFunction<String> symbols, int floatBytes) {
    return new PeakMemory(graph, symbols, floatBytes).count();
  }

  private long count() {
    for (int i = 0; i < graph.nodes().size(); i++) {
      Node node = graph.nodes().get(i);
      for (Value input : node.inputs()) {
        if (input != null) {
          lastUse.put(owner(input), i);
        }
      }
      Value from = node.op() == Op.RESHAPE ? node.input(0) : null;
      if (from != null && isTaken(owner(from))) {
        // The same numbers under another shape.
        node.outputs().forEach(out -> owners.put(out, owner(from)));
      }
    }
    graph.inputs().forEach(kept::add);
    graph.outputs().values().forEach(out -> kept.add(owner(out)));
    long taken = 0;
    for (Value input : graph.inputs()) {
      taken += bytes(input);
    }
    long most = taken;
    Set<Value> live = new HashSet<>();
    for (int i = 0; i < graph.nodes().size(); i++) {
      Node node = graph.nodes().get(i);
      long fresh = 0;
      for (Value out : node.outputs()) {
        if (owner(out) == out && lives(out) && live.add(out)) {
          fresh += bytes(out);
        }
      }
      long overwritten = overwritten(node, i, live, fresh);
      most = Math.max(most, taken + fresh - overwritten + workspace(node));
      taken += fresh;
      for (Value input : node.inputs()) {
        Value owner = input == null ? null : owner(input);
        if (owner != null
            && lastUse.getOrDefault(owner, -1) == i
            && !kept.contains(owner)
            && live.remove(owner)) {
          taken -= bytes(owner);
        }
      }
    }
    return most;
  }

  private long overwritten(Node node, int index, Set<Value> live, long fresh) {
    if (!IN_PLACE.contains(node.op())) {
      return 0;
    }
    for (Value input : node.inputs()) {
      Value owner = input == null ? null : owner(input);
      if (owner != null
          && live.contains(owner)
          && !kept.contains(owner)
          && lastUse.getOrDefault(owner, -1) == index
          && bytes(owner) == fresh) {
        return fresh;
      }
    }
    return 0;
  }

  /** What a kernel takes beside its inputs and outputs. */
  private long workspace(Node node) {
    return switch (node.op()) {
      // Queries, keys and values with the heads outside; blocks of scores are small beside them.
      case ATTENTION -> bytes(node.input(0)) + bytes(node.input(1)) + bytes(node.input(2));
      // Input and output once more, in the processor's own order of channels.
      case CONV -> bytes(node.input(0)) + bytes(node.output());
      // All scores at once.
      case CACHED_ATTENTION -> {
        Attributes.CachedAttention attention = node.attributes(Attributes.CachedAttention.class);
        long rows = node.input(0).dim(0).evaluate(symbols) * node.input(0).dim(1).evaluate(symbols);
        yield rows * attention.heads() * node.input(3).dim(2).evaluate(symbols) * floatBytes;
      }
      default -> 0;
    };
  }

  private Value owner(Value value) {
    return owners.getOrDefault(value, value);
  }

  /** Whether it is read by anybody: a state's next content and what nobody asks for are not. */
  private boolean lives(Value value) {
    return lastUse.containsKey(value) || kept.contains(value);
  }

  private static boolean isTaken(Value value) {
    return value.kind() == Value.Kind.RESULT || value.kind() == Value.Kind.INPUT;
  }

  private long bytes(Value value) {
    long each = value.dtype().isFloat() ? floatBytes : value.dtype().bytes();
    return Math.multiplyExact(value.shape().elements().evaluate(symbols), each);
  }
}
