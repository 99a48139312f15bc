package dev.lmm.core.engine.reference;

import dev.lmm.EngineException;
import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Shape;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One node being computed: what kernels are given.
 *
 * @param quantized the matrix of a linear layer, if it is in few bits: instead of input 1
 */
record Call(
    Node node,
    List<@Nullable Elements> inputs,
    Map<String, Long> symbols,
    @Nullable QuantizedMatrix quantized) {
  Op op() {
    return node.op();
  }

  Elements in(int index) {
    Elements input = optional(index);
    if (input == null) {
      throw fail("input " + index + " is absent");
    }
    return input;
  }

  @Nullable Elements optional(int index) {
    return index < inputs.size() ? inputs.get(index) : null;
  }

  <T extends Attributes> T attributes(Class<T> type) {
    return node.attributes(type);
  }

  int axis() {
    return attributes(Attributes.Axis.class).axis();
  }

  int[] evaluate(Shape shape) {
    return Layout.ints(shape.evaluate(symbols::get));
  }

  int evaluate(Dim dim) {
    return Math.toIntExact(dim.evaluate(symbols::get));
  }

  /** An index into an axis, checked. */
  int index(long index, int length, String what) {
    if (index < 0 || index >= length) {
      throw fail(what + " " + index + " is outside 0 ... " + (length - 1));
    }
    return (int) index;
  }

  EngineException fail(String message) {
    return new EngineException(node.name() + " (" + node.op() + "): " + message);
  }
}
