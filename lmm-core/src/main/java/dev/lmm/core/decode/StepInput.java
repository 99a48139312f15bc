package dev.lmm.core.decode;

import dev.lmm.core.engine.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * What one step reads: {@code count} entries for each of {@code rows} rows.
 *
 * @param rows rows of the cache
 * @param count new entries of each row, at least 1
 * @param past entries each row keeps already, [rows]; the new ones are written from there
 * @param ids token ids, [rows * count] row by row; where an embedding stands, its placeholder, or
 *     -1
 * @param positions one array for each axis, [rows * count] row by row; text models have one axis
 * @param embeddings what stands in place of tokens' own embeddings
 * @param logits whether the logits of the last entry are wanted
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record StepInput(
    int rows,
    int count,
    int[] past,
    int[] ids,
    int[][] positions,
    List<Slice> embeddings,
    boolean logits) {

  /**
   * Rows of a foreign embedding that stand at consecutive entries.
   *
   * @param row of the cache
   * @param at first entry among the new ones of that row
   * @param count how many entries
   * @param values F32 [n, width]
   * @param first the first of its n rows to take
   */
  public record Slice(int row, int at, int count, Tensor values, int first) {}

  /**
   * The ids as the I64 input that embedding tables take; a missing id becomes 0.
   *
   * @return I64 [rows, count]
   */
  public Tensor idsTensor() {
    return Tensor.of(Arrays.stream(ids).mapToLong(id -> Math.max(id, 0)).toArray(), rows, count);
  }

  /**
   * The entries kept, as {@link dev.lmm.core.graph.Op#CACHED_ATTENTION} takes them.
   *
   * @return I32 [rows]
   */
  public Tensor pastTensor() {
    return Tensor.of(past, rows);
  }
}
