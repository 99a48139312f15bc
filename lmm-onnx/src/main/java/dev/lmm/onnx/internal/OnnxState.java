package dev.lmm.onnx.internal;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import dev.lmm.ClosedException;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.InputChecks;
import dev.lmm.core.engine.ProgramState;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Value;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Buffers kept between runs. A state that is written where it lies has one, pinned as input and
 * output at once; any other has two, which change places after every run.
 */
final class OnnxState implements ProgramState {
  /** One state: what the next run reads, and what it writes. */
  private static final class Buffers {
    final boolean written;
    Tensor present;
    Tensor spare;
    OnnxTensor presentHandle;
    OnnxTensor spareHandle;

    Buffers(
        boolean written,
        Tensor present,
        Tensor spare,
        OnnxTensor presentHandle,
        OnnxTensor spareHandle) {
      this.written = written;
      this.present = present;
      this.spare = spare;
      this.presentHandle = presentHandle;
      this.spareHandle = spareHandle;
    }

    void swap() {
      Tensor tensor = present;
      present = spare;
      spare = tensor;
      OnnxTensor handle = presentHandle;
      presentHandle = spareHandle;
      spareHandle = handle;
    }
  }

  private final OnnxProgram program;
  private final Map<String, Long> symbols;
  private final Map<String, Buffers> buffers = new LinkedHashMap<>();
  private boolean closed;

  OnnxState(OnnxProgram program, OrtEnvironment environment, Map<String, Long> symbols) {
    this.program = program;
    this.symbols = Map.copyOf(symbols);
    Graph graph = program.graph();
    Uses uses = new Uses(graph);
    graph
        .states()
        .forEach(
            (state, next) -> {
              Tensor present = zeros(state);
              OnnxTensor handle = OnnxProgram.wrap(environment, present);
              boolean single = state.equals(next) || CachedAttentions.inPlace(uses, state, next);
              Tensor spare = single ? present : zeros(state);
              buffers.put(
                  state.name(),
                  new Buffers(
                      !state.equals(next),
                      present,
                      spare,
                      handle,
                      single ? handle : OnnxProgram.wrap(environment, spare)));
            });
  }

  private Tensor zeros(Value state) {
    long[] shape = new InputChecks(program.graph()).stateShape(state, symbols);
    return Tensor.zeros(state.dtype(), shape);
  }

  boolean belongsTo(OnnxProgram other) {
    return program == other;
  }

  Map<String, Long> symbols() {
    return symbols;
  }

  void open() {
    if (closed) {
      throw new ClosedException("the state of graph " + program.graph().name() + " was closed");
    }
  }

  void pin(Map<String, OnnxTensor> feeds, Map<String, OnnxTensor> pinned) {
    buffers.forEach(
        (name, each) -> {
          feeds.put(Lowering.STATE + name, each.presentHandle);
          if (each.written) {
            pinned.put(Lowering.NEXT + name, each.spareHandle);
          }
        });
  }

  void advance() {
    buffers.values().forEach(Buffers::swap);
  }

  @Override
  public Tensor tensor(String name) {
    open();
    Buffers found = buffers.get(name);
    if (found == null) {
      throw new InvalidRequestException(
          "graph "
              + program.graph().name()
              + " has no state "
              + name
              + "; it has "
              + buffers.keySet());
    }
    return found.present;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      buffers
          .values()
          .forEach(
              each -> {
                each.presentHandle.close();
                if (each.spareHandle != each.presentHandle) {
                  each.spareHandle.close();
                }
              });
    }
  }
}
