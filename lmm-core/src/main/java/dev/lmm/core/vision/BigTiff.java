package dev.lmm.core.vision;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * BigTIFF: a TIFF whose directory counts in 64 bits, which the JDK does not read. What fits into
 * memory needs no more than 32, so the first directory is written anew behind the file, in the
 * classic form; the pixels stay where they are.
 */
final class BigTiff {
  private static final int HEADER = 16;
  private static final int ENTRY = 20;
  private static final int LONG = 4;

  private BigTiff() {}

  static boolean matches(PictureBytes in) {
    return in.has(0, "II+\0") || in.has(0, "MM\0+");
  }

  /** The same file as a classic TIFF of one picture. */
  static PictureBytes classic(PictureBytes in) {
    boolean little = in.has(0, "II");
    ByteBuffer file =
        ByteBuffer.wrap(in.bytes).order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    if (in.length() < HEADER) {
      throw in.truncated(in.length());
    }
    if (file.getShort(4) != 8 || file.getShort(6) != 0) {
      throw in.broken("the BigTIFF has offsets of " + file.getShort(4) + " bytes; expected 8");
    }
    int at = place(in, file.getLong(8), 8);
    long entries = file.getLong(at);
    at += 8;
    if (entries < 0 || entries > 65_535) {
      throw in.broken(
          "the BigTIFF's directory has " + entries + " entries; expected 65535 or less");
    }
    place(in, at, entries * ENTRY);
    // The directory, and the lists of offsets, whose numbers become half as long.
    long lists = 0;
    for (int i = 0; i < entries; i++) {
      int entry = at + i * ENTRY;
      if (isLong8(file.getShort(entry + 2))) {
        long count = file.getLong(entry + 4);
        if (count > 1) {
          place(in, file.getLong(entry + 12), count > in.length() ? Long.MAX_VALUE : count * 8);
          lists += count * 4;
        }
      }
    }
    long length = in.length() + 2 + 12 * entries + 4 + lists;
    // Lists that lie apart have no more bytes than the file.
    if (lists > in.length() || length > Integer.MAX_VALUE - 8) {
      throw in.broken("the BigTIFF's directory is damaged: it lists more than the file can hold");
    }
    byte[] bytes = Arrays.copyOf(in.bytes, (int) length);
    ByteBuffer out = ByteBuffer.wrap(bytes).order(file.order());
    out.putShort(2, (short) 42).putInt(4, in.length());
    out.position(in.length());
    int numbers = in.length() + (int) (2 + 12 * entries + 4);
    int kept = 0;
    out.putShort((short) 0);
    for (int i = 0; i < entries; i++) {
      int entry = at + i * ENTRY;
      int tag = file.getShort(entry) & 0xFFFF;
      int type = file.getShort(entry + 2) & 0xFFFF;
      long count = file.getLong(entry + 4);
      int size = size(type);
      // Directories beside the first are of the large form too, and hold notes alone.
      if (size == 0 || count < 1 || tag == 330 || tag == 34_665 || tag == 34_853 || tag == 40_965) {
        continue;
      }
      kept++;
      boolean isLong8 = isLong8(type);
      out.putShort((short) tag).putShort((short) (isLong8 ? LONG : type));
      if (isLong8) {
        out.putInt((int) count);
        if (count == 1) {
          out.putInt(narrow(in, file.getLong(entry + 12)));
        } else {
          int from = (int) file.getLong(entry + 12);
          out.putInt(numbers);
          for (int n = 0; n < count; n++, numbers += 4) {
            out.putInt(numbers, narrow(in, file.getLong(from + 8 * n)));
          }
        }
        continue;
      }
      long held = count > in.length() ? Long.MAX_VALUE : count * size;
      if (held <= 4) {
        out.putInt((int) count).put(in.bytes, entry + 12, 4);
      } else {
        // What fits into an entry of the large form can be pointed at where it is.
        long from = held <= 8 ? entry + 12 : file.getLong(entry + 12);
        out.putInt((int) count).putInt(place(in, from, held));
      }
    }
    out.putInt(0);
    out.putShort(in.length(), (short) kept);
    return new PictureBytes(bytes, in.name, in.limits, in.partial);
  }

  private static boolean isLong8(int type) {
    return type >= 16 && type <= 18;
  }

  /** Bytes of a number of a type; 0 for types that there are not. */
  private static int size(int type) {
    return switch (type) {
      case 1, 2, 6, 7 -> 1;
      case 3, 8 -> 2;
      case 4, 9, 11, 13 -> 4;
      case 5, 10, 12, 16, 17, 18 -> 8;
      default -> 0;
    };
  }

  /** An offset or a length: what exceeds 32 bits lies outside of every file that can be here. */
  private static int narrow(PictureBytes in, long value) {
    if (value < 0 || value > 0xFFFF_FFFFL) {
      throw in.truncated(Integer.MAX_VALUE);
    }
    return (int) value;
  }

  private static int place(PictureBytes in, long from, long length) {
    if (from < 0 || length < 0 || from > in.length() || length > in.length() - from) {
      throw in.truncated((int) Math.max(0, Math.min(Integer.MAX_VALUE, from)));
    }
    return (int) from;
  }
}
