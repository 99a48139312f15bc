package dev.lmm.onnx.internal;

import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import org.jspecify.annotations.Nullable;

/** Which nodes of a graph one operator of the runtime computes together. */
final class Fusions {
  private final Uses uses;
  private final WeightStore weights;

  Fusions(Uses uses, WeightStore weights) {
    this.uses = uses;
    this.weights = weights;
  }

  /** Whether an attention reads what its keys and values would be made of. */
  boolean isOneQuery(Node attention) {
    return OneQuery.takes(uses, weights, attention);
  }

  /** Whether a node makes keys or values that are never needed: see {@link OneQuery}. */
  boolean isSpared(Node node) {
    Node reader = node.op() == Op.LINEAR ? uses.soleReader(node.output()) : null;
    return reader != null
        && reader.op() == Op.ATTENTION
        && (reader.input(1) == node.output() || reader.input(2) == node.output())
        && isOneQuery(reader);
  }

  /**
   * The bias that a value still lacks, because the node that reads it adds it in passing: null for
   * every value but the result of a linear layer that such a node alone reads.
   */
  @Nullable Value leftBias(Value value) {
    Node linear = uses.producer(value);
    if (!Lowering.is(linear, Op.LINEAR)) {
      return null;
    }
    Value bias = linear.optionalInput(2);
    Node reader = uses.soleReader(value);
    return bias != null && reader != null && addsBias(reader, value) ? bias : null;
  }

  private boolean addsBias(Node reader, Value value) {
    return switch (reader.op()) {
      case GELU -> true;
      case ATTENTION ->
          Attentions.isFused(reader)
              && !isOneQuery(reader)
              && reader.inputs().stream().filter(v -> v == value).count() == 1;
      case ADD -> normalised(reader) != null && value == branch(reader);
      default -> false;
    };
  }

  /**
   * The layer normalisation that follows an addition and is computed together with it, or null. The
   * sum may have other readers: it is the residual stream.
   */
  @Nullable Node normalised(Node add) {
    Value sum = add.output();
    if (!add.input(0).shape().equals(add.input(1).shape()) || sum.rank() < 2 || sum.rank() > 3) {
      return null;
    }
    for (Node reader : uses.readers(sum)) {
      if (reader.op() == Op.LAYER_NORM
          && reader.input(0) == sum
          && reader.optionalInput(1) != null) {
        return reader;
      }
    }
    return null;
  }

  /** The summand whose bias is added with the sum: the linear layer that nothing else reads. */
  @Nullable Value branch(Node add) {
    for (int i = 1; i >= 0; i--) {
      Value input = add.input(i);
      if (add.input(0) != add.input(1)
          && Lowering.is(uses.producer(input), Op.LINEAR)
          && uses.soleReader(input) == add) {
        return input;
      }
    }
    return null;
  }
}
