package dev.lmm.core.decode.grammar;

import dev.lmm.Check;
import dev.lmm.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bytes that each token of a vocabulary writes, in byte order, so that tokens that begin alike
 * are looked at once. Immutable; one for each tokenizer is enough.
 */
public final class TokenBytes {
  private final int size;
  private final int[] ids;
  private final byte[][] bytes;
  private final int[] shared;
  private final int[] index;
  private final boolean[] single = new boolean[256];

  private TokenBytes(int size, List<Token> tokens) {
    tokens.sort((a, b) -> Arrays.compareUnsigned(a.bytes, b.bytes));
    this.size = size;
    this.ids = new int[tokens.size()];
    this.bytes = new byte[tokens.size()][];
    this.shared = new int[tokens.size()];
    this.index = new int[size];
    Arrays.fill(index, -1);
    for (int i = 0; i < ids.length; i++) {
      ids[i] = tokens.get(i).id;
      index[ids[i]] = i;
      bytes[i] = tokens.get(i).bytes;
      int common = i == 0 ? 0 : Arrays.mismatch(bytes[i - 1], bytes[i]);
      shared[i] = common < 0 ? bytes[i].length : common;
      if (bytes[i].length == 1) {
        single[bytes[i][0] & 255] = true;
      }
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Token(int id, byte[] bytes) {}

  /**
   * Of a tokenizer. Control tokens and added tokens write nothing that a grammar could allow.
   *
   * @param tokenizer whose pieces are bytes or text
   * @return the table
   */
  public static TokenBytes of(Tokenizer tokenizer) {
    int size = Check.notNull(tokenizer, "tokenizer").vocabularySize();
    byte[] @Nullable [] bytes = new byte[size][];
    for (int id = 0; id < size; id++) {
      bytes[id] = tokenizer.bytes(id);
    }
    return of(bytes);
  }

  /**
   * Of bytes.
   *
   * @param bytes of each id; null or empty for tokens that no grammar allows
   * @return the table
   */
  public static TokenBytes of(byte[] @Nullable [] bytes) {
    List<Token> tokens = new ArrayList<>();
    for (int id = 0; id < bytes.length; id++) {
      byte[] each = bytes[id];
      if (each != null && each.length > 0) {
        tokens.add(new Token(id, each.clone()));
      }
    }
    return new TokenBytes(bytes.length, tokens);
  }

  /** One more than the largest id. */
  int size() {
    return size;
  }

  /** How many tokens write something. */
  int count() {
    return ids.length;
  }

  /** The id of the i-th in byte order. */
  int id(int i) {
    return ids[i];
  }

  /** The bytes of the i-th in byte order; not to be changed. */
  byte[] bytes(int i) {
    return bytes[i];
  }

  /** Where an id stands in byte order, or -1 if it writes nothing. */
  int index(int id) {
    return id < 0 || id >= index.length ? -1 : index[id];
  }

  /** How many bytes the i-th begins with that the one before it begins with too. */
  int shared(int i) {
    return shared[i];
  }

  /** Bytes that a token of one byte writes: with those alone any text of them can be finished. */
  boolean[] single() {
    return single;
  }
}
