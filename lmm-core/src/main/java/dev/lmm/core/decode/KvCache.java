package dev.lmm.core.decode;

/**
 * Keys and values that a model keeps of what it has read. Not thread-safe. Close is harmless twice.
 */
public interface KvCache extends AutoCloseable {
  /**
   * How many sequences.
   *
   * @return the rows
   */
  int rows();

  /**
   * How many entries each row has room for.
   *
   * @return the capacity
   */
  int capacity();

  /**
   * Copies entries {@code first} to below {@code end} of rows {@code from[i]} of the source to rows
   * {@code to[i]} of this; all are read before any is written. What a row looks at ({@link
   * StepModel#attend}) goes with it.
   *
   * @param source a cache of the same model, possibly this
   * @param from rows of the source
   * @param to rows of this, as many
   * @param first first entry
   * @param end one past the last entry
   */
  void copyRows(KvCache source, int[] from, int[] to, int first, int end);

  @Override
  void close();
}
