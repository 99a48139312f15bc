package dev.lmm.core.vision;

/** BMP: 1 to 32 bits, palettes, run lengths and the bit fields Pillow knows. */
final class BmpFile {
  private final PictureBytes in;
  private final int width;
  private final int height;
  private final int bits;
  private final boolean topDown;

  private BmpFile(PictureBytes in, int width, int height, int bits, boolean topDown) {
    this.in = in;
    this.width = width;
    this.height = height;
    this.bits = bits;
    this.topDown = topDown;
  }

  static boolean matches(PictureBytes in) {
    return in.has(0, "BM");
  }

  static Decoded decode(PictureBytes in) {
    int header = in.i32le(14);
    int compression = 0;
    int colors = 0;
    int width;
    int height;
    int bits;
    boolean topDown = false;
    if (header == 12) {
      width = in.u16le(18);
      height = in.u16le(20);
      bits = in.u16le(24);
    } else if (header == 40
        || header == 52
        || header == 56
        || header == 64
        || header == 108
        || header == 124) {
      width = in.i32le(18);
      height = in.i32le(22);
      topDown = height < 0 && height != Integer.MIN_VALUE;
      height = topDown ? -height : height;
      bits = in.u16le(28);
      compression = in.i32le(30);
      colors = in.i32le(46);
    } else {
      throw in.broken("the BMP has a header of " + header + " bytes, which is unknown");
    }
    in.checkSize(width, height);
    BmpFile file = new BmpFile(in, width, height, bits, topDown);
    int entry = header == 12 ? 3 : 4;
    int tables = 14 + header;
    int offset = in.i32le(10);
    byte[] rgb = new byte[0];
    switch (bits) {
      case 1, 4, 8 -> {
        if (compression < 0 || compression > 2) {
          throw in.broken("BMP compression " + compression + " is not supported");
        }
        int count = colors == 0 ? 1 << bits : colors;
        if (count < 0 || count > 65536) {
          throw in.broken("the BMP's palette has " + count + " colours; expected up to 65536");
        }
        byte[] palette = file.palette(tables, count, entry);
        int data = offset == 0 || offset == tables ? tables + count * entry : offset;
        rgb =
            compression == 0
                ? file.indexed(data, palette)
                : file.runs(data, compression == 2, palette);
      }
      case 16, 24, 32 -> {
        if (compression != 0 && compression != 3) {
          throw in.broken("BMP compression " + compression + " is not supported");
        }
        int masks = compression == 3 ? (header == 40 ? 12 : 0) : 0;
        int data = offset == 0 ? tables + masks : offset;
        rgb = file.direct(data, compression == 3, header);
      }
      default -> throw in.broken("a BMP of " + bits + " bits a pixel is not supported");
    }
    return new Decoded(width, height, rgb, Orientation.UPRIGHT);
  }

  private byte[] palette(int at, int count, int entry) {
    byte[] palette = new byte[256 * 3];
    int present = Math.max(0, Math.min(Math.min(count, 256), (in.length() - at) / entry));
    for (int i = 0; i < present; i++) {
      palette[i * 3] = in.bytes[at + i * entry + 2];
      palette[i * 3 + 1] = in.bytes[at + i * entry + 1];
      palette[i * 3 + 2] = in.bytes[at + i * entry];
    }
    return palette;
  }

  private int stride() {
    return (int) (((long) width * bits + 31) / 32 * 4);
  }

  private void checkData(int data) {
    // The last row needs no padding.
    long needed = (long) stride() * (height - 1) + ((long) width * bits + 7) / 8;
    if (data < 0 || data + needed > in.length()) {
      throw in.broken(
          "the file ends too early: "
              + needed
              + " bytes of pixels from byte "
              + data
              + ", it has "
              + in.length());
    }
  }

  private int row(int y) {
    return (topDown ? y : height - 1 - y) * width * 3;
  }

  private byte[] indexed(int data, byte[] palette) {
    checkData(data);
    byte[] rgb = new byte[width * height * 3];
    for (int y = 0; y < height; y++) {
      int line = data + y * stride();
      int o = row(y);
      for (int x = 0; x < width; x++, o += 3) {
        int bit = x * bits;
        int index = (in.bytes[line + (bit >> 3)] >> (8 - bits - (bit & 7))) & ((1 << bits) - 1);
        System.arraycopy(palette, index * 3, rgb, o, 3);
      }
    }
    return rgb;
  }

  private byte[] direct(int data, boolean fields, int header) {
    checkData(data);
    int red = bits == 16 ? 0x7C00 : 0xFF0000;
    int green = bits == 16 ? 0x3E0 : 0xFF00;
    int blue = bits == 16 ? 0x1F : 0xFF;
    if (fields) {
      red = in.i32le(54);
      green = in.i32le(58);
      blue = in.i32le(62);
      if (bits == 32 && red == 0 && green == 0 && blue == 0 && header >= 52) {
        red = 0xFF0000;
        green = 0xFF00;
        blue = 0xFF;
      }
    }
    byte[] rgb = new byte[width * height * 3];
    int bytes = bits / 8;
    if (bits == 16) {
      if ((red != 0xF800 && red != 0x7C00)
          || green != (red == 0xF800 ? 0x7E0 : 0x3E0)
          || blue != 0x1F) {
        throw fieldsUnknown(red, green, blue);
      }
      int redShift = red == 0xF800 ? 11 : 10;
      int greens = red == 0xF800 ? 63 : 31;
      for (int y = 0; y < height; y++) {
        int i = data + y * stride();
        int o = row(y);
        for (int x = 0; x < width; x++, o += 3, i += 2) {
          int v = (in.bytes[i] & 0xFF) | (in.bytes[i + 1] & 0xFF) << 8;
          rgb[o] = (byte) ((v >> redShift & 31) * 255 / 31);
          rgb[o + 1] = (byte) ((v >> 5 & greens) * 255 / greens);
          rgb[o + 2] = (byte) ((v & 31) * 255 / 31);
        }
      }
      return rgb;
    }
    int r = byteOf(red);
    int g = byteOf(green);
    int b = byteOf(blue);
    if (r < 0 || g < 0 || b < 0 || r >= bytes || g >= bytes || b >= bytes) {
      throw fieldsUnknown(red, green, blue);
    }
    for (int y = 0; y < height; y++) {
      int i = data + y * stride();
      int o = row(y);
      for (int x = 0; x < width; x++, o += 3, i += bytes) {
        rgb[o] = in.bytes[i + r];
        rgb[o + 1] = in.bytes[i + g];
        rgb[o + 2] = in.bytes[i + b];
      }
    }
    return rgb;
  }

  private RuntimeException fieldsUnknown(int red, int green, int blue) {
    return in.broken(
        String.format(
            "the BMP's bit fields (red %08x, green %08x, blue %08x) are not supported",
            red, green, blue));
  }

  private static int byteOf(int mask) {
    return switch (mask) {
      case 0xFF -> 0;
      case 0xFF00 -> 1;
      case 0xFF0000 -> 2;
      case 0xFF000000 -> 3;
      default -> -1;
    };
  }

  /** Run lengths. Pixels skipped have index 0; pixels missing at the end are an error. */
  private byte[] runs(int data, boolean nibbles, byte[] palette) {
    int total = width * height;
    // Two bytes give up to 255 pixels; a jump of four bytes skips up to 255 rows.
    if (total > (in.length() + 4L) * 64 * (width + 4L)) {
      throw in.broken("the file ends too early for " + width + "x" + height + " pixels");
    }
    byte[] indices = new byte[total];
    int n = 0;
    int x = 0;
    int at = data;
    boolean ended = false;
    while (n < total && !ended) {
      int count = in.u8(at);
      int value = in.u8(at + 1);
      at += 2;
      if (count > 0) {
        count = Math.min(Math.min(count, Math.max(0, width - x)), total - n);
        for (int i = 0; i < count; i++) {
          indices[n++] = (byte) (!nibbles ? value : i % 2 == 0 ? value >> 4 : value & 15);
        }
        x += count;
      } else if (value == 0) {
        n = (n + width - 1) / width * width;
        x = 0;
      } else if (value == 1) {
        ended = true;
      } else if (value == 2) {
        n = (int) Math.min(total, n + in.u8(at) + (long) in.u8(at + 1) * width);
        at += 2;
        x = n % width;
      } else {
        int take = Math.min(total - n, value);
        for (int i = 0; i < take; i++) {
          int b = in.u8(at + (nibbles ? i / 2 : i));
          indices[n++] = (byte) (!nibbles ? b : i % 2 == 0 ? b >> 4 : b & 15);
        }
        at += nibbles ? (take + 1) / 2 : take;
        x += value;
        // Absolute runs end on an even place of the file.
        at += at % 2;
      }
    }
    if (n < total) {
      throw in.broken("the BMP's pixels end too early: " + n + " of " + total);
    }
    byte[] rgb = new byte[total * 3];
    for (int y = 0; y < height; y++) {
      int o = row(y);
      for (int i = y * width; i < (y + 1) * width; i++, o += 3) {
        System.arraycopy(palette, (indices[i] & 0xFF) * 3, rgb, o, 3);
      }
    }
    return rgb;
  }
}
