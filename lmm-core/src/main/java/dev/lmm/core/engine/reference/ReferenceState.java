package dev.lmm.core.engine.reference;

import dev.lmm.Check;
import dev.lmm.ClosedException;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.CacheRows;
import dev.lmm.core.engine.InputChecks;
import dev.lmm.core.engine.ProgramState;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.Value;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a graph keeps between runs. A run that fails leaves it as it was. */
final class ReferenceState implements ProgramState {
  private final ReferenceProgram program;
  private final Map<String, Long> symbols;
  private final Map<Value, Elements> contents = new LinkedHashMap<>();
  private boolean closed;

  ReferenceState(ReferenceProgram program, InputChecks checks, Map<String, Long> symbols) {
    this.program = program;
    for (Value state : program.graph().states().keySet()) {
      contents.put(
          state, Elements.zeros(state.dtype(), Layout.ints(checks.stateShape(state, symbols))));
    }
    this.symbols = Map.copyOf(symbols);
  }

  boolean belongsTo(ReferenceProgram other) {
    return program == other;
  }

  Map<String, Long> symbols() {
    return symbols;
  }

  Map<Value, Elements> contents() {
    return contents;
  }

  void advance(Map<Value, Elements> results) {
    program
        .graph()
        .states()
        .forEach(
            (state, next) -> contents.put(state, Check.notNull(results.get(next), next.name())));
  }

  /** Replaces the content of one state. */
  void restore(String name, Tensor content) {
    Value state = value(name);
    Elements elements = Elements.of(content);
    String found = elements.toString();
    String expected = String.valueOf(contents.get(state));
    Check.that(
        found.equals(expected), "state " + name + ": found " + found + ", expected " + expected);
    contents.put(state, elements);
  }

  void requireOpen() {
    if (closed) {
      throw new ClosedException("the state of graph " + program.graph().name() + " is closed");
    }
  }

  private Value value(String name) {
    for (Value state : contents.keySet()) {
      if (state.name().equals(name)) {
        return state;
      }
    }
    throw new InvalidRequestException(
        "graph "
            + program.graph().name()
            + " has no state "
            + name
            + "; expected "
            + contents.keySet().stream().map(Value::name).toList());
  }

  @Override
  public Tensor tensor(String name) {
    requireOpen();
    return Check.notNull(contents.get(value(name)), name).tensor();
  }

  @Override
  public void copyRows(
      String name, ProgramState source, int[] from, int[] to, long first, long end) {
    Tensor here = tensor(name);
    Tensor fresh = Tensor.zeros(here.dtype(), here.shape());
    fresh.data().put(here.data());
    CacheRows.copy(name, source.tensor(name), fresh, from, to, first, end);
    restore(name, fresh);
  }

  @Override
  public void close() {
    closed = true;
    contents.clear();
  }
}
