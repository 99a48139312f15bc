package dev.lmm.onnx.internal;

import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Value;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Checks what a run is given and finds the length of every symbol. */
final class InputChecks {
  private final Graph graph;

  InputChecks(Graph graph) {
    this.graph = graph;
  }

  /**
   * Binds the symbols.
   *
   * @param inputs what the run was given
   * @param state lengths the state was made with, or null
   * @return the length of each symbol
   */
  Map<String, Long> bind(Map<String, Tensor> inputs, @Nullable Map<String, Long> state) {
    Map<String, Long> symbols = new HashMap<>();
    if (state != null) {
      symbols.putAll(state);
    }
    for (Value input : graph.inputs()) {
      Tensor tensor = inputs.get(input.name());
      if (tensor == null) {
        throw new InvalidRequestException(
            "graph " + graph.name() + " needs input " + input + "; given are " + inputs.keySet());
      }
      long[] shape = tensor.shape();
      if (tensor.dtype() != input.dtype() || shape.length != input.rank()) {
        throw refused(input, tensor, "");
      }
      for (int i = 0; i < shape.length; i++) {
        String symbol = symbol(input, i);
        if (symbol != null) {
          Long known = symbols.putIfAbsent(symbol, shape[i]);
          if (known != null && known != shape[i]) {
            throw refused(input, tensor, "; elsewhere " + symbol + " is " + known);
          }
        }
      }
    }
    for (Value input : graph.inputs()) {
      Tensor tensor = inputs.get(input.name());
      for (int i = 0; i < input.rank(); i++) {
        Dim dim = input.dim(i);
        if (tensor != null && tensor.dim(i) != dim.evaluate(symbols::get)) {
          throw refused(input, tensor, "");
        }
      }
    }
    if (inputs.size() > graph.inputs().size()) {
      throw new InvalidRequestException(
          "graph " + graph.name() + " takes " + graph.inputs() + "; given are " + inputs.keySet());
    }
    return symbols;
  }

  private @Nullable String symbol(Value input, int axis) {
    String name = input.dim(axis).toString();
    return graph.symbols().containsKey(name) ? name : null;
  }

  private InvalidRequestException refused(Value input, Tensor tensor, String why) {
    return new InvalidRequestException(
        "graph " + graph.name() + " needs input " + input + "; given is " + tensor + why);
  }
}
