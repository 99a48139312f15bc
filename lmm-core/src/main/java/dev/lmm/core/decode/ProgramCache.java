package dev.lmm.core.decode;

import dev.lmm.Check;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.ProgramState;
import java.util.List;
import java.util.Map;

/**
 * The cache of a compiled graph: its states of four axes, [rows, heads, capacity, d], as {@link
 * dev.lmm.core.graph.Op#CACHED_ATTENTION} writes them. Not thread-safe.
 */
public final class ProgramCache implements KvCache {
  private final ProgramState state;
  private final List<String> names;
  private final int rows;
  private final int capacity;

  /**
   * A new, empty cache.
   *
   * @param program whose graph declares the states
   * @param rows how many sequences
   * @param capacity entries of each
   * @param symbols lengths of all symbols in the states' shapes, for instance {@code {"batch": 1,
   *     "capacity": 512}}
   */
  public ProgramCache(Program program, int rows, int capacity, Map<String, Long> symbols) {
    Check.that(rows > 0, "rows: is " + rows + "; expected at least 1");
    Check.that(capacity > 0, "capacity: is " + capacity + "; expected at least 1");
    this.rows = rows;
    this.capacity = capacity;
    this.names =
        program.graph().states().entrySet().stream()
            // A state that is never written holds no entries (a T5 decoder's view of its source).
            .filter(each -> !each.getKey().equals(each.getValue()))
            .map(each -> each.getKey().name())
            .toList();
    this.state = program.newState(symbols);
  }

  /**
   * What the program's run takes.
   *
   * @return the state, owned by this
   */
  public ProgramState state() {
    return state;
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int capacity() {
    return capacity;
  }

  @Override
  public void copyRows(KvCache source, int[] from, int[] to, int first, int end) {
    if (!(source instanceof ProgramCache other)) {
      throw new InvalidRequestException(
          "source: is a " + source.getClass().getName() + "; expected a cache of the same model");
    }
    for (String name : names) {
      state.copyRows(name, other.state, from, to, first, end);
    }
  }

  @Override
  public void close() {
    state.close();
  }
}
