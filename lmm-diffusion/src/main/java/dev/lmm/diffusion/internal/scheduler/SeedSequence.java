package dev.lmm.diffusion.internal.scheduler;

import java.util.Arrays;

/**
 * Seeds made of a seed, as {@code numpy.random.SeedSequence} makes them: a pool of 24 words into
 * which the seed and the place in a tree are hashed. Bit for bit.
 *
 * <p>Source: NumPy's documentation of the class (after M. E. O'Neill's {@code seed_seq_fe}),
 * checked by goldens.
 */
final class SeedSequence {
  private static final int POOL = 24;

  private final int[] pool = new int[POOL];
  private int hash = 0x43b0d7e5;

  private SeedSequence() {}

  /**
   * The first word of the state.
   *
   * @param entropy the seed, at least 0
   * @param place in a tree; none for its root
   * @return 32 bits
   */
  static int firstWord(long entropy, long... place) {
    int[] words = words(entropy);
    if (place.length > 0) {
      // Padded, so that no other seed gives the same words.
      words = Arrays.copyOf(words, POOL);
      for (long part : place) {
        int[] more = words(part);
        int before = words.length;
        words = Arrays.copyOf(words, before + more.length);
        System.arraycopy(more, 0, words, before, more.length);
      }
    }
    SeedSequence sequence = new SeedSequence();
    sequence.mixIn(words);
    // The second factor is the first constant times 0x58f38ded, in 32 bits.
    int word = (sequence.pool[0] ^ 0x8b51f9dd) * 0x464a0a99;
    return word ^ (word >>> 16);
  }

  /** Low word first; 0 is one word. */
  private static int[] words(long value) {
    return value >>> 32 == 0
        ? new int[] {(int) value}
        : new int[] {(int) value, (int) (value >>> 32)};
  }

  private void mixIn(int[] words) {
    for (int i = 0; i < POOL; i++) {
      pool[i] = hashed(i < words.length ? words[i] : 0);
    }
    for (int from = 0; from < POOL; from++) {
      for (int to = 0; to < POOL; to++) {
        if (from != to) {
          pool[to] = mixed(pool[to], hashed(pool[from]));
        }
      }
    }
    for (int from = POOL; from < words.length; from++) {
      for (int to = 0; to < POOL; to++) {
        pool[to] = mixed(pool[to], hashed(words[from]));
      }
    }
  }

  private int hashed(int value) {
    int v = value ^ hash;
    hash *= 0x931e8875;
    v *= hash;
    return v ^ (v >>> 16);
  }

  private static int mixed(int x, int y) {
    int v = 0xca01f9dd * x - 0x4973f715 * y;
    return v ^ (v >>> 16);
  }
}
