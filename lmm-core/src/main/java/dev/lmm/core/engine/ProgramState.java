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

  @Override
  void close();
}
