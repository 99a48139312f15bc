package dev.lmm.core.text;

import java.util.Arrays;

/**
 * The characters that stand for bytes in GPT-2's vocabularies: printable ones for themselves, the
 * others, in order, from U+0100 on.
 */
final class ByteAlphabet {
  private static final int[] VALUES = new int[0x100 + 0x44];

  static {
    Arrays.fill(VALUES, -1);
    int next = 0x100;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      VALUES[printable ? b : next++] = b;
    }
  }

  private ByteAlphabet() {}

  /** The byte a character stands for, or -1. */
  static int value(char c) {
    return c < VALUES.length ? VALUES[c] : -1;
  }
}
