package dev.lmm.core.vision;

import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.awt.image.RenderedImage;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.spi.ImageReaderSpi;

/**
 * TIFF: the first picture, by the JDK's reader, to RGB as Pillow converts.
 *
 * <p>The directory is read here as well: sizes against the limits, orientation, and the palette,
 * whose 16-bit entries the JDK rounds and Pillow cuts.
 */
final class TiffFile {
  private static final int WIDTH = 256;
  private static final int HEIGHT = 257;
  private static final int BITS = 258;
  private static final int COMPRESSION = 259;
  private static final int PHOTOMETRIC = 262;
  private static final int ORIENTATION = 274;
  private static final int SAMPLES = 277;
  private static final int COLOR_MAP = 320;
  private static final int TILE_WIDTH = 322;
  private static final int TILE_HEIGHT = 323;
  private static final int SAMPLE_FORMAT = 339;

  // What samples mean: values of PHOTOMETRIC.
  private static final int WHITE_IS_ZERO = 0;
  private static final int BLACK_IS_ZERO = 1;
  private static final int RGB = 2;
  private static final int PALETTE = 3;
  private static final int CMYK = 5;
  private static final int YCBCR = 6;
  private static final int LAB = 8;

  // What numbers the samples are: values of SAMPLE_FORMAT.
  private static final int UNSIGNED = 1;
  private static final int SIGNED = 2;
  private static final int FLOAT = 3;

  /** No compression but that of fax pages makes more bytes of one; LZW comes near. */
  private static final int MOST_EXPANSION = 4096;

  private final PictureBytes in;
  private final boolean little;
  private long width;
  private long height;
  private int bits = 1;
  private int samples = 1;
  private int compression = 1;
  private int photometric;
  // Without the tag, Pillow takes white for zero, and the JDK black.
  private boolean hasPhotometric;
  private int photometricAt;
  private int orientation = Orientation.UPRIGHT;
  private int sampleFormat = UNSIGNED;
  private long tileWidth = 1;
  private long tileHeight = 1;
  private int colorMap;
  private int colors;

  private TiffFile(PictureBytes in) {
    this.in = in;
    this.little = in.has(0, "II");
  }

  static boolean matches(PictureBytes in) {
    return in.has(0, "II*\0") || in.has(0, "MM\0*");
  }

  static Decoded decode(PictureBytes in) {
    TiffFile file = new TiffFile(in);
    file.directory();
    byte[] rgb = file.pixels();
    return new Decoded((int) file.width, (int) file.height, rgb, file.orientation);
  }

  private int u16(int at) {
    return little ? in.u16le(at) : in.u16be(at);
  }

  private long u32(int at) {
    return (little ? in.i32le(at) : in.i32be(at)) & 0xFFFFFFFFL;
  }

  private int place(long offset) {
    if (offset > in.length()) {
      throw in.truncated((int) Math.min(Integer.MAX_VALUE, offset));
    }
    return (int) offset;
  }

  private void directory() {
    int at = place(u32(4));
    int entries = u16(at);
    at += 2;
    for (int i = 0; i < entries; i++, at += 12) {
      int tag = u16(at);
      int type = u16(at + 2);
      long count = u32(at + 4);
      int size = type == 3 ? 2 : type == 4 ? 4 : 1;
      int start = count * size <= 4 ? at + 8 : place(u32(at + 8));
      switch (tag) {
        case WIDTH -> width = number(type, start);
        case HEIGHT -> height = number(type, start);
        case BITS -> bits = (int) number(type, start);
        case COMPRESSION -> compression = (int) number(type, start);
        case SAMPLES -> samples = (int) number(type, start);
        case PHOTOMETRIC -> {
          photometric = (int) number(type, start);
          hasPhotometric = true;
          photometricAt = start;
        }
        case ORIENTATION -> orientation = (int) number(type, start);
        case TILE_WIDTH -> tileWidth = number(type, start);
        case TILE_HEIGHT -> tileHeight = number(type, start);
        case SAMPLE_FORMAT -> sampleFormat = (int) number(type, start);
        case COLOR_MAP -> {
          colorMap = start;
          colors = (int) Math.min(count / 3, 256);
        }
        default -> {
          // The reader's business.
        }
      }
    }
    in.checkSize(width, height);
    in.checkSize(tileWidth, tileHeight);
    // A picture of which the file can hold but a little is not worth the memory.
    boolean fax = compression >= 2 && compression <= 4;
    long smallest = fax ? height / 8 : width * height / 8 * bits * samples / MOST_EXPANSION;
    if (smallest > in.length()) {
      throw in.truncated(in.length());
    }
    checkKind();
  }

  /** Refuses what the reader would take for other colours than those that are meant. */
  private void checkKind() {
    if (!isCommon() && !isWideGrey()) {
      throw in.broken(
          "TIFF of the kind "
              + photometric
              + " with "
              + samples
              + " samples of "
              + bits
              + " bits, format "
              + sampleFormat
              + " is not supported");
    }
    boolean known =
        switch (photometric) {
          case WHITE_IS_ZERO -> samples == 1;
          case BLACK_IS_ZERO -> samples <= 2;
          case PALETTE -> samples <= 2 && bits <= 8;
          case RGB, YCBCR -> samples >= 3 && bits >= 8;
          case CMYK -> samples >= 4 && bits >= 8;
          default -> false;
        };
    if (!known) {
      throw in.broken(
          "TIFF of the kind "
              + photometric
              + (photometric == LAB ? " (CIE Lab)" : "")
              + " with "
              + samples
              + " samples of "
              + bits
              + " bits is not supported; expected grey, RGB, a palette, CMYK or YCbCr");
    }
  }

  private boolean isCommon() {
    return sampleFormat == UNSIGNED
        && (bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16);
  }

  /** Grey of numbers beyond 0 to 255, which are cut off there. */
  private boolean isWideGrey() {
    return samples == 1
        && switch (sampleFormat) {
          // Pillow has no such pictures in the other order.
          case UNSIGNED -> bits == 32 && photometric == BLACK_IS_ZERO && little;
          case SIGNED -> (bits == 8 || bits == 16 || bits == 32) && photometric == BLACK_IS_ZERO;
          case FLOAT -> bits == 32 && photometric <= BLACK_IS_ZERO;
          default -> false;
        };
  }

  private long number(int type, int at) {
    return switch (type) {
      case 3 -> u16(at);
      case 4 -> u32(at);
      default -> in.u8(at);
    };
  }

  private byte[] pixels() {
    ImageReader reader = null;
    try (ByteImageStream stream = new ByteImageStream(readable())) {
      reader = Readers.TIFF.createReaderInstance();
      reader.setInput(stream, true, true);
      RenderedImage image = reader.read(0);
      Raster raster = image.getData();
      if (raster.getWidth() != width || raster.getHeight() != height) {
        throw in.broken("the TIFF is damaged: its picture is not what its directory says");
      }
      return isCommon() ? convert(raster, image) : wideGrey(raster);
    } catch (IOException e) {
      throw in.broken("the TIFF is damaged or of an unsupported kind: " + e.getMessage(), e);
    } finally {
      if (reader != null) {
        reader.dispose();
      }
    }
  }

  /**
   * The file; where the reader would make a negative of floats, which nobody means, without that.
   */
  private byte[] readable() {
    if (sampleFormat != FLOAT || photometric != WHITE_IS_ZERO || !hasPhotometric) {
      return in.bytes;
    }
    byte[] bytes = in.bytes.clone();
    bytes[photometricAt + (little ? 0 : 1)] = BLACK_IS_ZERO;
    return bytes;
  }

  private byte[] convert(Raster raster, RenderedImage image) {
    int w = (int) width;
    int bands = raster.getNumBands();
    byte[] rgb = new byte[(int) (width * height) * 3];
    int[] row = new int[w * bands];
    byte[][] table = image.getColorModel() instanceof IndexColorModel index ? table(index) : null;
    int most = (1 << bits) - 1;
    int o = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, w, 1, row);
      for (int i = 0; i < row.length; i += bands, o += 3) {
        if (table != null) {
          for (int c = 0; c < 3; c++) {
            rgb[o + c] = table[c][row[i]];
          }
        } else if (photometric == CMYK && bands >= 4) {
          int light = 255 - high(row[i + 3]);
          for (int c = 0; c < 3; c++) {
            int product = high(row[i + c]) * light + 128;
            rgb[o + c] = (byte) Math.max(0, light - (((product >> 8) + product) >> 8));
          }
        } else if (bands < 3) {
          int v = row[i];
          // The reader turns white-is-zero over where the tag says so; Pillow does always, but
          // never with 16 bits.
          if (photometric == WHITE_IS_ZERO && hasPhotometric == (bits == 16)) {
            v = most - v;
          }
          v = bits == 16 ? Math.min(v, 255) : v * 255 / most;
          rgb[o] = (byte) v;
          rgb[o + 1] = (byte) v;
          rgb[o + 2] = (byte) v;
        } else {
          rgb[o] = (byte) high(row[i]);
          rgb[o + 1] = (byte) high(row[i + 1]);
          rgb[o + 2] = (byte) high(row[i + 2]);
        }
      }
    }
    return rgb;
  }

  private byte[] wideGrey(Raster raster) {
    int w = (int) width;
    byte[] rgb = new byte[(int) (width * height) * 3];
    float[] row = new float[w];
    int o = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getSamples(raster.getMinX(), raster.getMinY() + y, w, 1, 0, row);
      for (int x = 0; x < w; x++, o += 3) {
        // NaN becomes 0.
        byte v = (byte) Math.max(0, Math.min(255, (int) row[x]));
        rgb[o] = v;
        rgb[o + 1] = v;
        rgb[o + 2] = v;
      }
    }
    return rgb;
  }

  private int high(int sample) {
    return bits == 16 ? sample >> 8 : sample;
  }

  /** The file's palette, or the one the reader made for black and white. */
  private byte[][] table(IndexColorModel index) {
    byte[][] table = new byte[3][65536];
    if (photometric == PALETTE && colors > 0) {
      int stride = colors * 2;
      for (int c = 0; c < 3; c++) {
        for (int i = 0; i < colors; i++) {
          table[c][i] = (byte) (u16(colorMap + c * stride + 2 * i) >> 8);
        }
      }
    } else {
      for (int i = 0; i < index.getMapSize(); i++) {
        table[0][i] = (byte) index.getRed(i);
        table[1][i] = (byte) index.getGreen(i);
        table[2][i] = (byte) index.getBlue(i);
        for (int c = 0; c < 3 && !hasPhotometric; c++) {
          table[c][i] = (byte) ~table[c][i];
        }
      }
    }
    return table;
  }

  /** The JDK's own reader, whatever else is on the class path. */
  private static final class Readers {
    static final ImageReaderSpi TIFF = find();

    private static ImageReaderSpi find() {
      Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName("tiff");
      while (readers.hasNext()) {
        ImageReaderSpi spi = readers.next().getOriginatingProvider();
        if (spi.getClass().getName().startsWith("com.sun.imageio.")) {
          return spi;
        }
      }
      throw new IllegalStateException("this Java runtime has no TIFF reader");
    }
  }
}
