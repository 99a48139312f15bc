package dev.lmm.blip2.internal;

import dev.lmm.Check;
import dev.lmm.core.engine.Tensor;
import java.util.List;

/** Texts side by side, the shorter ones filled up with id 0 that nobody attends to. */
final class TextBatch {
  private static final long LARGEST = 1L << 30; // elements of a mask

  private final List<int[]> texts;
  private final int longest;

  TextBatch(List<int[]> texts) {
    this.texts = texts;
    this.longest = texts.stream().mapToInt(text -> text.length).max().orElseThrow();
  }

  int rows() {
    return texts.size();
  }

  /** I64 [rows, longest]. */
  Tensor ids() {
    long[] ids = new long[rows() * longest];
    for (int row = 0; row < rows(); row++) {
      int[] text = texts.get(row);
      for (int i = 0; i < text.length; i++) {
        ids[row * longest + i] = text[i];
      }
    }
    return Tensor.of(ids, rows(), longest);
  }

  /** I64 [rows, longest]: from 0. */
  Tensor places() {
    long[] places = new long[rows() * longest];
    for (int i = 0; i < places.length; i++) {
      places[i] = i % longest;
    }
    return Tensor.of(places, rows(), longest);
  }

  /** BOOL [rows, 1, 1, longest]: where there is text. */
  Tensor mask() {
    boolean[] mask = new boolean[rows() * longest];
    for (int i = 0; i < mask.length; i++) {
      mask[i] = i % longest < texts.get(i / longest).length;
    }
    return Tensor.of(mask, rows(), 1, 1, longest);
  }

  /**
   * BOOL [rows, 1, queries + longest, queries + longest]: with queries before each text, who
   * attends to whom. Everybody attends to every query and every text that is there; apart, queries
   * to queries and texts to texts only.
   */
  Tensor mask(int queries, boolean together) {
    int all = queries + longest;
    long size = (long) rows() * all * all;
    Check.that(
        size <= LARGEST,
        "batchSize: "
            + rows()
            + " texts of up to "
            + longest
            + " tokens are too many at once; expected at most "
            + LARGEST / all / all);
    boolean[] mask = new boolean[(int) size];
    for (int row = 0; row < rows(); row++) {
      int end = queries + texts.get(row).length;
      for (int from = 0; from < all; from++) {
        for (int to = 0; to < end; to++) {
          mask[(row * all + from) * all + to] = together || (from < queries) == (to < queries);
        }
      }
    }
    return Tensor.of(mask, rows(), 1, all, all);
  }
}
