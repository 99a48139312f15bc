package dev.lmm.pytorch.internal;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import dev.lmm.ClosedException;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.InputChecks;
import dev.lmm.core.engine.ProgramState;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.Graph;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Buffers of one conversation, which the script writes where they lie. Weights are not among them:
 * all conversations of a program share those.
 */
final class TorchState implements ProgramState {
  private final TorchProgram program;
  private final Map<String, Long> symbols;
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private final PtNDArray[] handles;
  private final IValue list;
  private boolean closed;

  TorchState(TorchProgram program, TorchRuntime runtime, Map<String, Long> symbols) {
    this.program = program;
    this.symbols = Map.copyOf(symbols);
    Graph graph = program.graph();
    InputChecks checks = new InputChecks(graph);
    graph
        .states()
        .keySet()
        .forEach(
            state ->
                tensors.put(
                    state.name(), Tensor.zeros(state.dtype(), checks.stateShape(state, symbols))));
    handles =
        tensors.values().stream()
            .map(tensor -> Tensors.wrap(runtime, tensor))
            .toArray(PtNDArray[]::new);
    list = IValue.listFrom(handles);
  }

  boolean belongsTo(TorchProgram other) {
    return program == other;
  }

  Map<String, Long> symbols() {
    return symbols;
  }

  IValue list() {
    return list;
  }

  void open() {
    if (closed) {
      throw new ClosedException("the state of graph " + program.graph().name() + " was closed");
    }
  }

  @Override
  public Tensor tensor(String name) {
    open();
    Tensor found = tensors.get(name);
    if (found == null) {
      throw new InvalidRequestException(
          "graph "
              + program.graph().name()
              + " has no state "
              + name
              + "; it has "
              + tensors.keySet());
    }
    return found;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      list.close();
      for (PtNDArray handle : handles) {
        handle.close();
      }
    }
  }
}
