package dev.lmm.fuzz;

import java.util.List;

/** Something that reads bytes of a stranger. Used by one thread at a time. */
interface Target {
  /**
   * Reads the bytes, to the end of what a caller would do with them.
   *
   * @param input any bytes
   * @throws dev.lmm.LmmException if they are refused; anything else is a finding
   */
  void read(byte[] input);

  /** Inputs that are worth changing, most of them valid. */
  List<byte[]> seeds();

  /** Pieces of the format, as ISO 8859-1, for mutations to put in. */
  List<String> words();

  /**
   * What a reading may allocate beside four times its input: 64 MB, as the issue of every target
   * has it, unless the result itself may be larger.
   */
  default long allowance() {
    return 64L << 20;
  }
}
