package dev.lmm.core.vision;

import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.event.IIOReadWarningListener;
import javax.imageio.spi.ImageReaderSpi;
import org.jspecify.annotations.Nullable;

/**
 * JPEG by the JDK's decoder, which computes what libjpeg computes.
 *
 * <p>The markers are read here: limits, EXIF, and which colours the samples are, by libjpeg's rules
 * (the JDK's differ where there is no JFIF marker). The JDK is handed a file with one marker that
 * says so and without profiles and notes, none of which change pixels but any of which it may choke
 * on. It decodes straight into the array that becomes the picture.
 */
final class JpegFile {
  private static final byte[] JFIF = {
    (byte) 0xFF, (byte) 0xE0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0
  };

  /** Adobe's marker with transform 0: the samples are colours as they are. */
  private static final byte[] ADOBE = {
    (byte) 0xFF, (byte) 0xEE, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0
  };

  /** No JPEG holds more pixels in a byte, progressive or not. */
  private static final long MOST_EXPANSION = 8192;

  private static final String XMP = "http://ns.adobe.com/xap/1.0/\0";

  private final PictureBytes in;
  private int width;
  private int height;
  private int components;
  private boolean progressive;
  private boolean jfif;
  private int adobeTransform = -1;
  private final int[] ids = new int[4];
  private final ByteArrayOutputStream exif = new ByteArrayOutputStream();
  private byte[] xmp = new byte[0];
  private final ByteArrayOutputStream tables = new ByteArrayOutputStream();
  private int scan;

  private JpegFile(PictureBytes in) {
    this.in = in;
  }

  static boolean matches(PictureBytes in) {
    return in.has(0, "\u00ff\u00d8\u00ff");
  }

  static Decoded decode(PictureBytes in) {
    JpegFile file = new JpegFile(in);
    file.markers();
    byte[] rgb = file.pixels();
    return new Decoded(
        file.width, file.height, rgb, Orientation.of(file.exif.toByteArray(), file.xmp));
  }

  /** Everything before the first scan. */
  private void markers() {
    int at = 2;
    while (scan == 0) {
      while (in.u8(at) != 0xFF) {
        at++;
      }
      while (in.u8(at) == 0xFF) {
        at++;
      }
      int marker = in.u8(at++);
      if (marker == 0 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
        continue;
      }
      if (marker == 0xD9) {
        throw in.broken("the JPEG ends before its first pixel");
      }
      int length = in.u16be(at);
      if (length < 2 || at > in.length() - length) {
        throw in.truncated(at + length);
      }
      int start = at + 2;
      if (marker == 0xDA) {
        scan = at - 2;
      } else if (marker >= 0xE0 && marker <= 0xEF) {
        note(marker, start, length - 2);
      } else if (marker != 0xFE) {
        if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8) {
          frame(marker, start, length - 2);
        }
        tables.write(0xFF);
        tables.write(marker);
        tables.write(in.bytes, at, length);
      }
      at += length;
    }
    if (components == 0) {
      throw in.broken("the JPEG has a scan, but no frame header before it");
    }
    if ((long) width * height > (in.length() - scan) * MOST_EXPANSION) {
      throw in.broken("the file ends too early for " + width + "x" + height + " pixels");
    }
    if (!in.partial) {
      checkEnd();
    }
    if (progressive) {
      checkScans();
    }
  }

  private void note(int marker, int start, int length) {
    if (marker == 0xE0 && length >= 5 && in.has(start, "JFIF\0")) {
      jfif = true;
    } else if (marker == 0xE1 && length >= 6 && in.has(start, "Exif\0\0")) {
      // A note longer than a marker may be goes on in the next one.
      int skip = exif.size() == 0 ? 0 : 6;
      exif.write(in.bytes, start + skip, length - skip);
    } else if (marker == 0xE1 && length > XMP.length() && in.has(start, XMP)) {
      xmp = java.util.Arrays.copyOfRange(in.bytes, start + XMP.length(), start + length);
    } else if (marker == 0xEE && length >= 12 && in.has(start, "Adobe")) {
      adobeTransform = in.u8(start + 11);
    }
  }

  private void frame(int marker, int start, int length) {
    if (components != 0) {
      throw in.broken("the JPEG has two frame headers");
    }
    if (length < 6) {
      throw in.broken("the JPEG's frame header has " + length + " bytes; expected at least 6");
    }
    progressive = marker == 0xC2;
    if (marker > 0xC2) {
      throw in.broken(
          switch (marker) {
            case 0xC3, 0xC7, 0xCB, 0xCF -> "lossless JPEG is not supported";
            case 0xC5, 0xC6 -> "hierarchical JPEG is not supported";
            default -> "arithmetically coded JPEG is not supported";
          });
    }
    int bits = in.u8(start);
    if (bits != 8) {
      throw in.broken("JPEG of " + bits + " bits a sample is not supported; expected 8");
    }
    height = in.u16be(start + 1);
    width = in.u16be(start + 3);
    components = in.u8(start + 5);
    in.checkSize(width, height);
    if (components != 1 && components != 3 && components != 4) {
      throw in.broken("the JPEG has " + components + " components; expected 1, 3 or 4");
    }
    if (length < 6 + 3 * components) {
      throw in.broken("the JPEG's frame header has " + length + " bytes; too few");
    }
    for (int i = 0; i < components; i++) {
      ids[i] = in.u8(start + 6 + 3 * i);
    }
  }

  /** The decoder does not miss the end marker once it has every row; Pillow does. */
  private void checkEnd() {
    byte[] b = in.bytes;
    for (int i = b.length - 2; i > scan; i--) {
      if (b[i] == (byte) 0xFF && b[i + 1] == (byte) 0xD9) {
        return;
      }
    }
    throw in.broken("the file ends too early: the JPEG has no end marker");
  }

  /** Each scan of a progressive file is a pass over the whole picture, however small it is. */
  private void checkScans() {
    byte[] b = in.bytes;
    int scans = 0;
    for (int i = scan; i < b.length - 1; i++) {
      if (b[i] == (byte) 0xFF) {
        if (b[i + 1] == (byte) 0xDA) {
          scans++;
        } else if (b[i + 1] == (byte) 0xD9) {
          break;
        }
      }
    }
    if (scans > in.limits.maxScans()) {
      throw in.broken("the JPEG has " + scans + " scans; the limit is " + in.limits.maxScans());
    }
  }

  /** Three samples are red, green and blue rather than luminance and two differences. */
  private boolean isRgb() {
    if (jfif) {
      return false;
    }
    if (adobeTransform >= 0) {
      return adobeTransform == 0;
    }
    return ids[0] == 'R' && ids[1] == 'G' && ids[2] == 'B';
  }

  private byte[] pixels() {
    // With Adobe's marker the JDK takes equal sampling for what it says; JFIF means YCbCr.
    byte[] colors =
        switch (components) {
          case 3 -> isRgb() ? ADOBE : JFIF;
          case 4 -> ADOBE;
          default -> JFIF;
        };
    byte[] clean = new byte[2 + colors.length + tables.size() + in.length() - scan];
    clean[0] = (byte) 0xFF;
    clean[1] = (byte) 0xD8;
    System.arraycopy(colors, 0, clean, 2, colors.length);
    System.arraycopy(tables.toByteArray(), 0, clean, 2 + colors.length, tables.size());
    System.arraycopy(in.bytes, scan, clean, 2 + colors.length + tables.size(), in.length() - scan);
    Warnings warnings = new Warnings();
    ImageReader reader = null;
    try (ByteImageStream stream = new ByteImageStream(clean)) {
      reader = Readers.JPEG.createReaderInstance();
      reader.addIIOReadWarningListener(warnings);
      reader.setInput(stream, true, true);
      byte[] rgb =
          switch (components) {
            case 1 -> grey(read(reader, 1));
            case 3 -> read(reader, 3);
            default -> ink(reader.readRaster(0, null));
          };
      if (warnings.ended != null && !in.partial) {
        throw in.broken("the file ends too early: " + warnings.ended);
      }
      return rgb;
    } catch (IOException e) {
      throw in.broken("the JPEG is damaged: " + e.getMessage(), e);
    } finally {
      if (reader != null) {
        reader.dispose();
      }
    }
  }

  /** The target has the decoder's own order of bands, so that rows are copied whole. */
  private byte[] read(ImageReader reader, int bands) throws IOException {
    byte[] samples = new byte[width * height * bands];
    int[] offsets = bands == 1 ? new int[] {0} : new int[] {0, 1, 2};
    WritableRaster raster =
        Raster.createInterleavedRaster(
            new DataBufferByte(samples, samples.length),
            width,
            height,
            width * bands,
            bands,
            offsets,
            null);
    ColorModel model =
        new ComponentColorModel(
            ColorSpace.getInstance(bands == 1 ? ColorSpace.CS_GRAY : ColorSpace.CS_sRGB),
            false,
            false,
            Transparency.OPAQUE,
            DataBuffer.TYPE_BYTE);
    ImageReadParam param = reader.getDefaultReadParam();
    param.setDestination(new BufferedImage(model, raster, false, null));
    reader.read(0, param);
    return samples;
  }

  private static byte[] grey(byte[] grey) {
    byte[] rgb = new byte[grey.length * 3];
    int o = 0;
    for (byte v : grey) {
      rgb[o] = v;
      rgb[o + 1] = v;
      rgb[o + 2] = v;
      o += 3;
    }
    return rgb;
  }

  /**
   * Four samples: inks, inverted as Adobe writes them (which Pillow assumes always), with Adobe's
   * transform 2 or an unknown one the first three as luminance and differences.
   */
  private byte[] ink(Raster raster) {
    boolean ycck = adobeTransform > 0;
    byte[] samples = ((DataBufferByte) raster.getDataBuffer()).getData();
    byte[] rgb = new byte[width * height * 3];
    int o = 0;
    for (int i = 0; o < rgb.length; i += 4, o += 3) {
      int c = samples[i] & 0xFF;
      int m = samples[i + 1] & 0xFF;
      int y = samples[i + 2] & 0xFF;
      int black = samples[i + 3] & 0xFF;
      if (ycck) {
        int luminance = c;
        int cb = m - 128;
        int cr = y - 128;
        c = clamp(255 - luminance - ((91881 * cr + 32768) >> 16));
        m = clamp(255 - luminance - ((-22554 * cb - 46802 * cr + 32768) >> 16));
        y = clamp(255 - luminance - ((116130 * cb + 32768) >> 16));
      }
      rgb[o] = light(c, black);
      rgb[o + 1] = light(m, black);
      rgb[o + 2] = light(y, black);
    }
    return rgb;
  }

  private static int clamp(int v) {
    return Math.max(0, Math.min(255, v));
  }

  /** What ink and black leave of the light; both are inverted: 255 is none. */
  private static byte light(int ink, int black) {
    int product = (255 - ink) * black + 128;
    return (byte) Math.max(0, black - (((product >> 8) + product) >> 8));
  }

  /** Hears that data are missing, which the decoder would fill with grey. */
  private static final class Warnings implements IIOReadWarningListener {
    @Nullable String ended;

    @Override
    public void warningOccurred(ImageReader source, String warning) {
      if (warning.startsWith("Premature end of JPEG")) {
        ended = warning;
      }
    }
  }

  /** The JDK's own reader, whatever else is on the class path. */
  private static final class Readers {
    static final ImageReaderSpi JPEG = find();

    private static ImageReaderSpi find() {
      Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName("jpeg");
      while (readers.hasNext()) {
        ImageReaderSpi spi = readers.next().getOriginatingProvider();
        if (spi.getClass().getName().startsWith("com.sun.imageio.")) {
          return spi;
        }
      }
      throw new IllegalStateException("this Java runtime has no JPEG reader");
    }
  }
}
