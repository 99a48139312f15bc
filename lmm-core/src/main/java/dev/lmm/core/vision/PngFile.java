package dev.lmm.core.vision;

import dev.lmm.ImageException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * PNG: every bit depth, palettes, interlacing; of an animation the default image.
 *
 * <p>To RGB as Pillow converts: alpha is dropped, 16-bit grey is clipped at 255, other 16-bit
 * samples keep their high byte, palette entries that are missing are black. Check sums count up to
 * the first pixel, as in Pillow.
 */
final class PngFile {
  private static final String SIGNATURE = "\u0089PNG\r\n\u001a\n";
  private static final int[] PASS_X = {0, 4, 0, 2, 0, 1, 0};
  private static final int[] PASS_Y = {0, 0, 4, 0, 2, 0, 1};
  private static final int[] STEP_X = {8, 8, 4, 4, 2, 2, 1};
  private static final int[] STEP_Y = {8, 8, 8, 4, 4, 2, 2};

  /** Deflate cannot do better. */
  private static final int MOST_EXPANSION = 1032;

  private final PictureBytes in;
  private int width;
  private int height;
  private int depth;
  private int color;
  private boolean interlaced;
  private byte[] palette = new byte[0];
  private byte[] exif = new byte[0];
  private final PngNotes notes;
  private final List<int[]> data = new ArrayList<>();

  private PngFile(PictureBytes in) {
    this.in = in;
    this.notes = new PngNotes(in);
  }

  static boolean matches(PictureBytes in) {
    return in.has(0, SIGNATURE);
  }

  static Decoded decode(PictureBytes in) {
    PngFile file = new PngFile(in);
    file.chunks();
    byte[] rgb = file.pixels();
    byte[] exif = file.exif.length > 0 ? file.exif : file.notes.exif();
    return new Decoded(file.width, file.height, rgb, Orientation.of(exif, file.notes.xmp()));
  }

  private void chunks() {
    if (!in.has(12, "IHDR")) {
      throw in.broken("the PNG does not begin with an IHDR chunk");
    }
    int at = 8;
    while (at <= in.length() - 8) {
      long length = in.i32be(at) & 0xFFFFFFFFL;
      String type = new String(in.bytes, at + 4, 4, StandardCharsets.ISO_8859_1);
      int start = at + 8;
      boolean whole = start + length <= in.length() - 4L;
      if (type.equals("IDAT")) {
        data.add(new int[] {start, (int) Math.min(length, in.length() - start)});
      } else if (type.equals("IEND")) {
        break;
      } else if (data.isEmpty()) {
        if (!whole) {
          throw in.truncated(in.length());
        }
        checkSum(at, (int) length, type);
        chunk(type, start, (int) length);
      } else if (whole) {
        chunk(type, start, (int) length);
      }
      if (!whole) {
        break;
      }
      at = (int) (start + length + 4);
    }
    if (data.isEmpty()) {
      throw in.broken("the PNG has no pixels (no IDAT chunk)");
    }
  }

  private void checkSum(int at, int length, String type) {
    CRC32 crc = new CRC32();
    crc.update(in.bytes, at + 4, length + 4);
    if ((int) crc.getValue() != in.i32be(at + 8 + length)) {
      throw in.broken("the check sum of the PNG's chunk " + type + " is wrong");
    }
  }

  private void chunk(String type, int start, int length) {
    switch (type) {
      case "IHDR" -> header(start, length);
      case "PLTE" -> {
        if (data.isEmpty()) {
          palette = Arrays.copyOfRange(in.bytes, start, start + length);
        }
      }
      case "eXIf" -> exif = Arrays.copyOfRange(in.bytes, start, start + length);
      case "tEXt", "zTXt", "iTXt", "iCCP" -> notes.read(type, start, length);
      default -> {
        // Nothing that changes pixels as Pillow sees them.
      }
    }
  }

  private void header(int at, int length) {
    if (length < 13) {
      throw in.broken("the PNG's IHDR chunk has " + length + " bytes; expected 13");
    }
    width = in.i32be(at);
    height = in.i32be(at + 4);
    depth = in.u8(at + 8);
    color = in.u8(at + 9);
    interlaced = in.u8(at + 12) != 0;
    in.checkSize(width, height);
    boolean known =
        switch (color) {
          case 0 -> depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
          case 3 -> depth == 1 || depth == 2 || depth == 4 || depth == 8;
          case 2, 4, 6 -> depth == 8 || depth == 16;
          default -> false;
        };
    if (!known) {
      throw in.broken("PNG of colour type " + color + " with " + depth + " bits does not exist");
    }
    if (in.u8(at + 10) != 0 || in.u8(at + 11) != 0) {
      throw in.broken("the PNG has an unknown compression or filter method");
    }
  }

  private int samples() {
    return switch (color) {
      case 2 -> 3;
      case 4 -> 2;
      case 6 -> 4;
      default -> 1;
    };
  }

  private byte[] pixels() {
    if (color == 3 && palette.length < 3) {
      throw in.broken("the PNG has palette indices, but no palette");
    }
    long compressed = 0;
    for (int[] part : data) {
      compressed += part[1];
    }
    long raw = (((long) width * samples() * depth + 7) / 8) * height;
    if (raw > compressed * MOST_EXPANSION + 1024) {
      throw in.broken(
          "the file ends too early: "
              + compressed
              + " compressed bytes cannot hold "
              + width
              + "x"
              + height
              + " pixels");
    }
    byte[] rgb = new byte[width * height * 3];
    if (in.partial && color == 3) {
      // Rows that are missing are of the first colour.
      for (int i = 0; i < rgb.length; i++) {
        rgb[i] = palette[i % 3];
      }
    }
    Rows rows = new Rows(in, data);
    try {
      if (interlaced) {
        for (int pass = 0; pass < 7; pass++) {
          int columns = (width - PASS_X[pass] + STEP_X[pass] - 1) / STEP_X[pass];
          int lines = (height - PASS_Y[pass] + STEP_Y[pass] - 1) / STEP_Y[pass];
          if (columns > 0 && lines > 0) {
            pass(rows, rgb, columns, lines, PASS_X[pass], PASS_Y[pass], STEP_X[pass], STEP_Y[pass]);
          }
        }
      } else {
        pass(rows, rgb, width, height, 0, 0, 1, 1);
      }
    } finally {
      rows.close();
    }
    return rgb;
  }

  private void pass(
      Rows rows, byte[] rgb, int columns, int lines, int x0, int y0, int stepX, int stepY) {
    int bits = samples() * depth;
    int bytes = (int) (((long) columns * bits + 7) / 8);
    int pixelBytes = Math.max(1, bits / 8);
    byte[] above = new byte[bytes];
    byte[] row = new byte[bytes];
    for (int y = 0; y < lines; y++) {
      int filter = rows.next(row);
      if (filter < 0) {
        return;
      }
      unfilter(filter, row, above, pixelBytes);
      int out = ((y0 + y * stepY) * width + x0) * 3;
      if (color == 2 && depth == 8 && stepX == 1) {
        System.arraycopy(row, 0, rgb, out, bytes);
      } else {
        convert(row, columns, rgb, out, stepX * 3);
      }
      byte[] swap = above;
      above = row;
      row = swap;
    }
  }

  private void convert(byte[] row, int columns, byte[] rgb, int out, int step) {
    int o = out;
    int sampleBytes = depth == 16 ? 2 : 1;
    int pixelBytes = samples() * sampleBytes;
    for (int x = 0; x < columns; x++, o += step) {
      switch (color) {
        case 0 -> {
          byte v =
              switch (depth) {
                case 16 -> row[2 * x] == 0 ? row[2 * x + 1] : (byte) 255;
                case 8 -> row[x];
                default -> (byte) (packed(row, x) * 255 / ((1 << depth) - 1));
              };
          rgb[o] = v;
          rgb[o + 1] = v;
          rgb[o + 2] = v;
        }
        case 3 -> {
          int index = (depth == 8 ? row[x] & 0xFF : packed(row, x)) * 3;
          if (index + 2 < palette.length) {
            rgb[o] = palette[index];
            rgb[o + 1] = palette[index + 1];
            rgb[o + 2] = palette[index + 2];
          }
        }
        case 4 -> {
          byte v = row[x * pixelBytes];
          rgb[o] = v;
          rgb[o + 1] = v;
          rgb[o + 2] = v;
        }
        default -> {
          int i = x * pixelBytes;
          rgb[o] = row[i];
          rgb[o + 1] = row[i + sampleBytes];
          rgb[o + 2] = row[i + 2 * sampleBytes];
        }
      }
    }
  }

  /** A sample of fewer than 8 bits; the leftmost is in the highest bits. */
  private int packed(byte[] row, int x) {
    int bit = x * depth;
    return (row[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
  }

  private void unfilter(int filter, byte[] row, byte[] above, int back) {
    int n = row.length;
    switch (filter) {
      case 0 -> {
        // As it is.
      }
      case 1 -> {
        for (int i = back; i < n; i++) {
          row[i] += row[i - back];
        }
      }
      case 2 -> {
        for (int i = 0; i < n; i++) {
          row[i] += above[i];
        }
      }
      case 3 -> {
        for (int i = 0; i < Math.min(back, n); i++) {
          row[i] += (byte) ((above[i] & 0xFF) >> 1);
        }
        for (int i = back; i < n; i++) {
          row[i] += (byte) (((row[i - back] & 0xFF) + (above[i] & 0xFF)) >> 1);
        }
      }
      case 4 -> {
        for (int i = 0; i < Math.min(back, n); i++) {
          row[i] += above[i];
        }
        for (int i = back; i < n; i++) {
          int a = row[i - back] & 0xFF;
          int b = above[i] & 0xFF;
          int c = above[i - back] & 0xFF;
          int pa = Math.abs(b - c);
          int pb = Math.abs(a - c);
          int pc = Math.abs(a + b - 2 * c);
          row[i] += (byte) (pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
        }
      }
      default -> throw in.broken("the PNG has a row with the unknown filter " + filter);
    }
  }

  /** Inflates row after row out of the IDAT chunks. */
  private static final class Rows {
    private final PictureBytes in;
    private final List<int[]> data;
    private final Inflater inflater = new Inflater();
    private final byte[] filter = new byte[1];
    private int part;

    Rows(PictureBytes in, List<int[]> data) {
      this.in = in;
      this.data = data;
    }

    /** Fills a row and returns its filter; -1 where the file ends and that is no error. */
    int next(byte[] row) {
      return fill(filter) && fill(row) ? filter[0] & 0xFF : -1;
    }

    private boolean fill(byte[] target) {
      int at = 0;
      try {
        while (at < target.length) {
          int n = inflater.inflate(target, at, target.length - at);
          at += n;
          if (n == 0 && !more()) {
            return false;
          }
        }
        return true;
      } catch (DataFormatException e) {
        throw in.broken("the PNG's compressed pixels are damaged: " + e.getMessage(), e);
      }
    }

    private boolean more() {
      if (inflater.finished() || inflater.needsDictionary() || part >= data.size()) {
        if (in.partial && part >= data.size()) {
          return false;
        }
        throw new ImageException(in.name + ": the file ends too early: PNG rows are missing");
      }
      int[] next = data.get(part++);
      inflater.setInput(in.bytes, next[0], next[1]);
      return true;
    }

    void close() {
      inflater.end();
    }
  }
}
