package dev.lmm.core.vision;

import java.util.Arrays;

/**
 * GIF: the first frame on its screen, as Pillow shows it: where the frame does not reach, the
 * transparent colour's palette entry, or the first entry if none is transparent.
 */
final class GifFile {
  private static final int TABLE = 4096;

  private GifFile() {}

  static boolean matches(PictureBytes in) {
    return in.has(0, "GIF87a") || in.has(0, "GIF89a");
  }

  static Decoded decode(PictureBytes in) {
    int screenWidth = in.u16le(6);
    int screenHeight = in.u16le(8);
    int flags = in.u8(10);
    int at = 13;
    byte[] palette = greys();
    if ((flags & 0x80) != 0) {
      palette = palette(in, at, flags & 7);
      at += 3 << ((flags & 7) + 1);
    }
    int transparent = -1;
    while (true) {
      int block = in.u8(at++);
      if (block == '!') {
        if (in.u8(at) == 0xF9 && in.u8(at + 1) >= 4) {
          transparent = (in.u8(at + 2) & 1) != 0 ? in.u8(at + 5) : -1;
        }
        at = skipBlocks(in, at + 1);
      } else if (block == ',') {
        break;
      } else if (block == ';') {
        throw in.broken("the GIF has no picture");
      }
    }
    int left = in.u16le(at);
    int top = in.u16le(at + 2);
    int width = in.u16le(at + 4);
    int height = in.u16le(at + 6);
    int frameFlags = in.u8(at + 8);
    at += 9;
    in.checkSize(width, height);
    screenWidth = Math.max(screenWidth, left + width);
    screenHeight = Math.max(screenHeight, top + height);
    in.checkSize(screenWidth, screenHeight);
    if ((frameFlags & 0x80) != 0) {
      palette = palette(in, at, frameFlags & 7);
      at += 3 << ((frameFlags & 7) + 1);
    }
    // A code has at least two bits and stands for at most 4096 pixels.
    if ((long) width * height > (in.length() - at) * 4L * TABLE) {
      throw in.broken("the file ends too early for " + width + "x" + height + " pixels");
    }
    byte[] frame = unpack(in, at, width * height);
    byte[] rgb = new byte[screenWidth * screenHeight * 3];
    boolean whole = width == screenWidth && height == screenHeight;
    if (!whole) {
      int fill = Math.max(transparent, 0) * 3;
      for (int i = 0; i < rgb.length; i += 3) {
        System.arraycopy(palette, fill, rgb, i, 3);
      }
    }
    boolean interlaced = (frameFlags & 0x40) != 0;
    for (int i = 0; i < height; i++) {
      int y = interlaced ? interlacedRow(i, height) : i;
      int o = ((top + y) * screenWidth + left) * 3;
      for (int x = 0; x < width; x++, o += 3) {
        int p = (frame[i * width + x] & 0xFF) * 3;
        rgb[o] = palette[p];
        rgb[o + 1] = palette[p + 1];
        rgb[o + 2] = palette[p + 2];
      }
    }
    return new Decoded(screenWidth, screenHeight, rgb, Orientation.UPRIGHT);
  }

  /** Rows come in four groups: every 8th from 0, from 4, every 4th from 2, every 2nd from 1. */
  static int interlacedRow(int i, int height) {
    int first = (height + 7) / 8;
    int second = (height + 3) / 8;
    int third = (height + 1) / 4;
    if (i < first) {
      return i * 8;
    }
    if (i < first + second) {
      return (i - first) * 8 + 4;
    }
    if (i < first + second + third) {
      return (i - first - second) * 4 + 2;
    }
    return (i - first - second - third) * 2 + 1;
  }

  static byte[] greys() {
    byte[] palette = new byte[256 * 3];
    for (int i = 0; i < 256; i++) {
      Arrays.fill(palette, i * 3, i * 3 + 3, (byte) i);
    }
    return palette;
  }

  /** Missing entries are black; a palette that is the grey ramp goes on beyond its end. */
  static byte[] palette(PictureBytes in, int at, int bits) {
    int length = 3 << (bits + 1);
    if (at > in.length() - length) {
      throw in.truncated(in.length());
    }
    byte[] palette = new byte[256 * 3];
    System.arraycopy(in.bytes, at, palette, 0, length);
    byte[] greys = greys();
    return Arrays.equals(palette, 0, length, greys, 0, length) ? greys : palette;
  }

  static int skipBlocks(PictureBytes in, int start) {
    int at = start;
    int length = in.u8(at++);
    while (length != 0) {
      at += length;
      length = in.u8(at++);
    }
    return at;
  }

  static byte[] unpack(PictureBytes in, int start, int pixels) {
    int bits = in.u8(start);
    if (bits > 12) {
      throw in.broken("the GIF's code size is " + bits + "; expected at most 12");
    }
    int clear = 1 << bits;
    int[] prefix = new int[TABLE];
    byte[] suffix = new byte[TABLE];
    byte[] first = new byte[TABLE];
    int[] length = new int[TABLE];
    byte[] out = new byte[pixels];
    int at = start + 1;
    int blockLeft = 0;
    int buffer = 0;
    int bufferBits = 0;
    int codeBits = bits + 1;
    int next = clear + 2;
    int previous = -1;
    int filled = 0;
    while (filled < pixels) {
      while (bufferBits < codeBits) {
        if (blockLeft == 0) {
          blockLeft = in.u8(at++);
          if (blockLeft == 0) {
            throw in.broken("the file ends too early: GIF pixels are missing");
          }
        }
        buffer |= in.u8(at++) << bufferBits;
        bufferBits += 8;
        blockLeft--;
      }
      int code = buffer & ((1 << codeBits) - 1);
      buffer >>>= codeBits;
      bufferBits -= codeBits;
      if (code == clear) {
        codeBits = bits + 1;
        next = clear + 2;
        previous = -1;
        continue;
      }
      if (code == clear + 1) {
        throw in.broken("the GIF's pixels end too early");
      }
      if (previous < 0) {
        if (code > clear) {
          throw in.broken("the GIF's compressed pixels are damaged");
        }
        out[filled++] = (byte) code;
        previous = code;
        continue;
      }
      if (code > next || (code == next && next >= TABLE)) {
        throw in.broken("the GIF's compressed pixels are damaged");
      }
      byte head;
      int n;
      if (code == next) {
        // The string being made: the previous one and its own first pixel again.
        head = previous < clear ? (byte) previous : first[previous];
        n = (previous < clear ? 1 : length[previous]) + 1;
        write(out, filled, n - 1, previous, clear, prefix, suffix);
        if (filled + n <= pixels) {
          out[filled + n - 1] = head;
        }
      } else {
        head = code < clear ? (byte) code : first[code];
        n = code < clear ? 1 : length[code];
        write(out, filled, n, code, clear, prefix, suffix);
      }
      filled += n;
      if (next < TABLE) {
        prefix[next] = previous;
        suffix[next] = head;
        first[next] = previous < clear ? (byte) previous : first[previous];
        length[next] = (previous < clear ? 1 : length[previous]) + 1;
        next++;
        if (next == 1 << codeBits && codeBits < 12) {
          codeBits++;
        }
      }
      previous = code;
    }
    return out;
  }

  /** Writes a string of n pixels from its end; what lies beyond the picture is dropped. */
  private static void write(
      byte[] out, int at, int n, int code, int clear, int[] prefix, byte[] suffix) {
    int c = code;
    for (int i = at + n - 1; i >= at; i--) {
      byte v;
      if (c < clear) {
        v = (byte) c;
      } else {
        v = suffix[c];
        c = prefix[c];
      }
      if (i < out.length) {
        out[i] = v;
      }
    }
  }
}
