package dev.lmm.core.vision;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferInt;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.spi.ImageReaderSpi;

/**
 * WebP, lossy and lossless, by libwebp; of an animation the first frame on its canvas.
 *
 * <p>The container is read here: sizes against the limits, EXIF, and the first frame, which the
 * binding cannot take out of an animation.
 */
final class WebpFile {
  /** The binding's reader; another one on the class path is not exact for lossy files. */
  private static final String READER = "com.luciad.imageio.webp.";

  private final PictureBytes in;
  private int canvasWidth;
  private int canvasHeight;
  private int frameWidth;
  private int frameHeight;
  private int left;
  private int top;
  private byte[] exif = new byte[0];
  private byte[] xmp = new byte[0];
  private byte[] alpha = new byte[0];
  private byte[] frame = new byte[0];

  private WebpFile(PictureBytes in) {
    this.in = in;
  }

  static boolean matches(PictureBytes in) {
    return in.has(0, "RIFF") && in.has(8, "WEBP");
  }

  static Decoded decode(PictureBytes in) {
    WebpFile file = new WebpFile(in);
    file.chunks(12, in.length(), false);
    if (file.frame.length == 0) {
      throw in.broken("the WebP has no picture");
    }
    byte[] rgb = file.pixels();
    return new Decoded(
        file.canvasWidth, file.canvasHeight, rgb, Orientation.of(file.exif, file.xmp));
  }

  /** Chunks of the file, or of an animation's frame; only the first picture counts. */
  private void chunks(int from, int to, boolean inFrame) {
    int at = from;
    while (at <= to - 8) {
      long length = in.i32le(at + 4) & 0xFFFFFFFFL;
      int start = at + 8;
      if (length > to - start) {
        if (frame.length > 0) {
          return;
        }
        throw in.truncated((int) Math.min(Integer.MAX_VALUE, start + length));
      }
      int end = start + (int) length;
      if (frame.length == 0) {
        if (in.has(at, "VP8X")) {
          canvasWidth = 1 + in.u16le(start + 4) + (in.u8(start + 6) << 16);
          canvasHeight = 1 + in.u16le(start + 7) + (in.u8(start + 9) << 16);
          in.checkSize(canvasWidth, canvasHeight);
        } else if (in.has(at, "ANMF") && !inFrame) {
          left = 2 * (in.u16le(start) + (in.u8(start + 2) << 16));
          top = 2 * (in.u16le(start + 3) + (in.u8(start + 5) << 16));
          chunks(start + 16, end, true);
        } else if (in.has(at, "ALPH")) {
          alpha = Arrays.copyOfRange(in.bytes, at, end);
        } else if (in.has(at, "VP8 ")) {
          frame(at, end, in.u16le(start + 6) & 0x3FFF, in.u16le(start + 8) & 0x3FFF);
        } else if (in.has(at, "VP8L")) {
          int bits = in.i32le(start + 1);
          frame(at, end, 1 + (bits & 0x3FFF), 1 + (bits >>> 14 & 0x3FFF));
        }
      }
      if (in.has(at, "EXIF")) {
        exif = Arrays.copyOfRange(in.bytes, start, end);
      } else if (in.has(at, "XMP ")) {
        xmp = Arrays.copyOfRange(in.bytes, start, end);
      }
      at = end + (int) (length & 1);
    }
  }

  private void frame(int at, int end, int width, int height) {
    in.checkSize(width, height);
    if (canvasWidth == 0) {
      canvasWidth = width;
      canvasHeight = height;
    }
    if ((long) left + width > canvasWidth || (long) top + height > canvasHeight) {
      throw in.broken(
          "the WebP's frame of "
              + width
              + "x"
              + height
              + " does not lie within "
              + canvasWidth
              + "x"
              + canvasHeight);
    }
    frame = Arrays.copyOfRange(in.bytes, at, end);
    frameWidth = width;
    frameHeight = height;
  }

  /** The frame alone as a file. */
  private byte[] still() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'E', 'B', 'P'});
    if (alpha.length > 0) {
      int w = frameWidth - 1;
      int h = frameHeight - 1;
      out.writeBytes(
          new byte[] {
            'V',
            'P',
            '8',
            'X',
            10,
            0,
            0,
            0,
            0x10,
            0,
            0,
            0,
            (byte) w,
            (byte) (w >> 8),
            (byte) (w >> 16),
            (byte) h,
            (byte) (h >> 8),
            (byte) (h >> 16)
          });
      out.writeBytes(alpha);
      if (alpha.length % 2 != 0) {
        out.write(0);
      }
    }
    out.writeBytes(frame);
    if (frame.length % 2 != 0) {
      out.write(0);
    }
    byte[] file = out.toByteArray();
    int length = file.length - 8;
    for (int i = 0; i < 4; i++) {
      file[4 + i] = (byte) (length >> (8 * i));
    }
    return file;
  }

  private byte[] pixels() {
    ImageReader reader = null;
    try (ByteImageStream stream = new ByteImageStream(still())) {
      reader = reader();
      reader.setInput(stream, true, true);
      BufferedImage image = reader.read(0);
      if (image.getWidth() != frameWidth
          || image.getHeight() != frameHeight
          || !(image.getRaster().getDataBuffer() instanceof DataBufferInt ints)) {
        throw in.broken("the WebP is damaged: its picture is not what its header says");
      }
      return onCanvas(ints.getData());
    } catch (IOException e) {
      throw in.broken("the WebP is damaged: " + e.getMessage(), e);
    } catch (LinkageError e) {
      throw in.broken("WebP needs libwebp, which cannot be loaded on this platform: " + e, e);
    } finally {
      if (reader != null) {
        reader.dispose();
      }
    }
  }

  private byte[] onCanvas(int[] argb) {
    byte[] rgb = new byte[canvasWidth * canvasHeight * 3];
    for (int y = 0; y < frameHeight; y++) {
      int o = ((top + y) * canvasWidth + left) * 3;
      for (int i = y * frameWidth; i < (y + 1) * frameWidth; i++, o += 3) {
        int v = argb[i];
        rgb[o] = (byte) (v >> 16);
        rgb[o + 1] = (byte) (v >> 8);
        rgb[o + 2] = (byte) v;
      }
    }
    return rgb;
  }

  private ImageReader reader() throws IOException {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName("webp");
    while (readers.hasNext()) {
      ImageReader reader = readers.next();
      ImageReaderSpi spi = reader.getOriginatingProvider();
      if (spi.getClass().getName().startsWith(READER)) {
        return reader;
      }
    }
    throw in.broken(
        "no WebP reader on the class path; add com.github.usefulness:webp-imageio, which comes with"
            + " lmm-core unless it was excluded");
  }
}
