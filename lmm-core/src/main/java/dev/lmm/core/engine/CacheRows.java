package dev.lmm.core.engine;

import dev.lmm.Check;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Copies entries between rows of caches; see {@link ProgramState#copyRows}. */
public final class CacheRows {
  private CacheRows() {}

  /**
   * Copies. All is read before any is written.
   *
   * @param name of the state, for messages
   * @param source [rows, heads, capacity, d]
   * @param target [rows, heads, capacity, d], rows and capacity of its own; written in place
   * @param from rows of the source
   * @param to rows of the target, as many
   * @param first first entry
   * @param end one past the last entry
   * @throws dev.lmm.InvalidRequestException if a row or entry does not exist or the tensors do not
   *     fit each other
   */
  public static void copy(
      String name, Tensor source, Tensor target, int[] from, int[] to, long first, long end) {
    Check.that(
        source.dtype() == target.dtype()
            && source.shape().length == 4
            && target.shape().length == 4
            && source.dim(1) == target.dim(1)
            && source.dim(3) == target.dim(3),
        "state "
            + name
            + ": cannot copy rows of "
            + source
            + " to "
            + target
            + "; expected [rows, heads, capacity, d] of equal heads and d");
    Check.that(
        from.length == to.length,
        "rows: " + from.length + " to read and " + to.length + " to write; expected as many");
    checkRows(name, from, source.dim(0));
    checkRows(name, to, target.dim(0));
    Check.that(
        0 <= first && first <= end && end <= Math.min(source.dim(2), target.dim(2)),
        "state "
            + name
            + ": entries "
            + first
            + " to "
            + end
            + " do not exist in both "
            + source
            + " and "
            + target);
    int moved = 0;
    int[] reads = new int[from.length];
    int[] writes = new int[from.length];
    boolean within = source == target;
    for (int i = 0; i < from.length; i++) {
      if (!within || from[i] != to[i]) {
        reads[moved] = from[i];
        writes[moved++] = to[i];
      }
    }
    if (moved == 0 || first == end) {
      return;
    }
    int heads = Math.toIntExact(source.dim(1));
    long entry = source.dim(3) * source.dtype().bytes();
    int stretch = Math.toIntExact((end - first) * entry);
    ByteBuffer in = source.data();
    ByteBuffer out = target.data();
    // One head at a time: the scratch stays small however many heads there are.
    ByteBuffer scratch = ByteBuffer.allocate(Math.multiplyExact(moved, stretch));
    for (int head = 0; head < heads; head++) {
      for (int i = 0; i < moved; i++) {
        int at = offset(source, reads[i], head, first, entry);
        scratch.put(i * stretch, in, at, stretch);
      }
      for (int i = 0; i < moved; i++) {
        int at = offset(target, writes[i], head, first, entry);
        out.put(at, scratch, i * stretch, stretch);
      }
    }
  }

  private static int offset(Tensor tensor, int row, int head, long first, long entry) {
    return Math.toIntExact(((row * tensor.dim(1) + head) * tensor.dim(2) + first) * entry);
  }

  private static void checkRows(String name, int[] rows, long count) {
    for (int row : rows) {
      Check.that(
          0 <= row && row < count,
          "state " + name + ": rows " + Arrays.toString(rows) + "; there are " + count);
    }
  }
}
