package dev.lmm.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Changes seeds at random, from a fixed start: the same inputs on every machine. */
final class Mutator {
  private static final long[] NUMBERS = {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 31};

  private final List<byte[]> seeds;
  private final List<byte[]> words;
  private final Random random;

  Mutator(Target target, long seed) {
    this.seeds = target.seeds();
    this.words =
        target.words().stream().map(word -> word.getBytes(StandardCharsets.ISO_8859_1)).toList();
    this.random = new Random(seed);
  }

  /** The next input. */
  byte[] next() {
    byte[] bytes = any(seeds).clone();
    for (int changes = 1 + random.nextInt(5); changes > 0; changes--) {
      bytes = changed(bytes);
    }
    return bytes;
  }

  private byte[] changed(byte[] bytes) {
    int at = random.nextInt(bytes.length + 1);
    int end = Math.min(bytes.length, at + random.nextInt(48));
    switch (random.nextInt(9)) {
      case 0 -> {
        if (at < bytes.length) {
          bytes[at] ^= (byte) (1 << random.nextInt(8));
        }
        return bytes;
      }
      case 1 -> {
        if (at < bytes.length) {
          bytes[at] = (byte) random.nextInt();
        }
        return bytes;
      }
      case 2 -> {
        return random.nextInt(4) == 0 ? Arrays.copyOf(bytes, at) : bytes;
      }
      case 3 -> {
        // A whole number of 1, 2, 4 or 8 bytes, at an end of what it can be.
        long value = NUMBERS[random.nextInt(NUMBERS.length)];
        int width = 1 << random.nextInt(4);
        boolean little = random.nextBoolean();
        for (int i = 0; i < width && at + i < bytes.length; i++) {
          bytes[at + i] = (byte) (value >> (8 * (little ? i : width - 1 - i)));
        }
        return bytes;
      }
      case 4 -> {
        return spliced(bytes, at, end, new byte[0]);
      }
      case 5 -> {
        return spliced(bytes, at, at, Arrays.copyOfRange(bytes, at, end));
      }
      case 6 -> {
        return spliced(bytes, at, at, any(words));
      }
      case 7 -> {
        byte[] word = any(words);
        return spliced(bytes, at, Math.min(bytes.length, at + word.length), word);
      }
      default -> {
        byte[] other = any(seeds);
        int from = random.nextInt(other.length + 1);
        int to = Math.min(other.length, from + random.nextInt(96));
        return spliced(bytes, at, end, Arrays.copyOfRange(other, from, to));
      }
    }
  }

  private byte[] any(List<byte[]> list) {
    return list.get(random.nextInt(list.size()));
  }

  private static byte[] spliced(byte[] bytes, int from, int to, byte[] part) {
    byte[] out = new byte[bytes.length - (to - from) + part.length];
    System.arraycopy(bytes, 0, out, 0, from);
    System.arraycopy(part, 0, out, from, part.length);
    System.arraycopy(bytes, to, out, from + part.length, bytes.length - to);
    return out;
  }
}
