package dev.lmm.core.text;

import dev.lmm.CheckpointException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.BitSet;

/**
 * The precompiled normaliser of a sentencepiece model: a double-array trie of byte sequences and
 * what each becomes. The longest match from the left wins; what has none stays.
 *
 * <p>The tokenizers library has this too, but works grapheme by grapheme, which loses combining
 * marks that sentencepiece keeps.
 */
final class CharsMap {
  private static final int MOST_UNITS = 1 << 20;

  private final int[] units;
  private final byte[] replacements;
  private final String source;

  /**
   * Reads the table.
   *
   * @param bytes length of the trie in bytes, the trie, zero-terminated replacements; empty for
   *     none
   * @param source what to call it in messages
   */
  CharsMap(byte[] bytes, String source) {
    this.source = source;
    if (bytes.length == 0) {
      this.units = new int[0];
      this.replacements = new byte[0];
      return;
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long length = bytes.length < 4 ? -1 : Integer.toUnsignedLong(in.getInt());
    if (length < 4 || length % 4 != 0 || length > in.remaining()) {
      throw new CheckpointException(
          source
              + ": precompiled_charsmap has a trie of "
              + length
              + " bytes in "
              + bytes.length
              + "; expected a multiple of 4 within it");
    }
    this.units = new int[(int) (length / 4)];
    in.asIntBuffer().get(units);
    this.replacements = new byte[bytes.length - 4 - (int) length];
    in.position(4 + (int) length).get(replacements);
  }

  /** The normalised text. */
  String normalize(String text) {
    if (units.length == 0) {
      return text;
    }
    byte[] in = text.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream(in.length);
    int at = 0;
    while (at < in.length) {
      long match = longest(in, at);
      if (match >= 0) {
        int from = (int) (match >>> 32);
        int to = from;
        while (to < replacements.length && replacements[to] != 0) {
          to++;
        }
        out.write(replacements, from, to - from);
        at += (int) match;
      } else {
        int end = Math.min(in.length, at + characterLength(in[at]));
        out.write(in, at, end - at);
        at = end;
      }
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  /** Place of the replacement (upper half) and length of the match (lower half); -1 for none. */
  private long longest(byte[] in, int start) {
    long found = -1;
    int node = offset(units[0]);
    for (int i = start; i < in.length; i++) {
      int label = in[i] & 0xff;
      node ^= label;
      if (node < 0 || node >= units.length) {
        break;
      }
      int unit = units[node];
      if ((unit & (1 << 31 | 0xff)) != label) {
        break;
      }
      node ^= offset(unit);
      if (node < 0 || node >= units.length) {
        break;
      }
      if ((unit >>> 8 & 1) == 1) {
        int place = units[node] & 0x7fffffff;
        if (place < replacements.length) {
          found = (long) place << 32 | (i + 1 - start);
        }
      }
    }
    return found;
  }

  /**
   * Walks the whole table. The native library trusts it: a way out of the trie, or into the middle
   * of a character, would end the process.
   *
   * @throws CheckpointException if any text could lead there
   */
  void checkEveryPath() {
    if (units.length == 0) {
      return;
    }
    if (units.length > MOST_UNITS) {
      throw broken("is over " + MOST_UNITS + " units large");
    }
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(replacements));
    } catch (CharacterCodingException e) {
      throw new CheckpointException(
          source + ": precompiled_charsmap has replacements that are no UTF-8", e);
    }
    BitSet seen = new BitSet(units.length);
    ArrayDeque<Integer> open = new ArrayDeque<>();
    visit(offset(units[0]), seen, open);
    while (!open.isEmpty()) {
      int node = open.pop();
      for (int label = 1; label < 256; label++) {
        int unit = units[node ^ label];
        if ((unit & (1 << 31 | 0xff)) != label) {
          continue;
        }
        int next = node ^ label ^ offset(unit);
        visit(next, seen, open);
        if ((unit >>> 8 & 1) == 1) {
          int place = units[next] & 0x7fffffff;
          if (place >= replacements.length || (replacements[place] & 0xc0) == 0x80) {
            throw broken("has a replacement at " + place + ", where no character begins");
          }
        }
      }
    }
  }

  /** Every label must lead to a unit that is there. */
  private void visit(int node, BitSet seen, ArrayDeque<Integer> open) {
    if (node < 0 || (node | 0xff) >= units.length) {
      throw broken("leads to unit " + node + " of " + units.length);
    }
    if (!seen.get(node)) {
      seen.set(node);
      open.push(node);
    }
  }

  private CheckpointException broken(String what) {
    return new CheckpointException(source + ": precompiled_charsmap " + what);
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }

  private static int characterLength(byte first) {
    int b = first & 0xff;
    return b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
  }
}
