package dev.lmm.core.engine;

/**
 * What a graph keeps between runs for one conversation. Not thread-safe: one run at a time. Close
 * is harmless twice.
 */
public interface ProgramState extends AutoCloseable {
  /**
   * The present content of one state; for tests and for moving a state between programs.
   *
   * @param name of the state in the graph
   * @return a view that changes with the next run, or a copy, as the engine keeps it
   */
  Tensor tensor(String name);

  /**
   * Copies kept entries between rows of a cache laid out as {@link
   * dev.lmm.core.graph.Op#CACHED_ATTENTION} has it, [rows, heads, capacity, d]: entries {@code
   * first} to below {@code end} of row {@code from[i]} of the source become those of row {@code
   * to[i]} here. All are read before any is written, so a cache may be reordered within itself; the
   * number of rows and the capacity may differ. What is not named stays as it is.
   *
   * @param name of the state in both graphs
   * @param source where to read, possibly this; closed by nobody
   * @param from rows of the source
   * @param to rows of this, as many
   * @param first first entry
   * @param end one past the last entry
   * @throws dev.lmm.InvalidRequestException if a row or entry does not exist or the states do not
   *     fit each other
   */
  default void copyRows(
      String name, ProgramState source, int[] from, int[] to, long first, long end) {
    // For engines whose tensor(name) is the memory itself; an engine that hands out copies
    // overrides.
    CacheRows.copy(name, source.tensor(name), tensor(name), from, to, first, end);
  }

  @Override
  void close();
}
