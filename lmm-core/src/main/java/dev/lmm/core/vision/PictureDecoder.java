package dev.lmm.core.vision;

import dev.lmm.Check;
import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.spi.ImageDecoder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Decodes pictures as Pillow does: the first frame, turned as EXIF says, to RGB, alpha dropped. The
 * content decides the format.
 *
 * <p>JPEG, PNG, GIF, BMP, WebP and TIFF. Sizes are checked against {@link DecodeLimits} before
 * memory is taken. A truncated file is an error, unless {@link #partial} is asked for. Whatever the
 * bytes, the only exception is {@link ImageException}. Stateless and thread-safe; nothing of the
 * JVM's global state is changed.
 */
public final class PictureDecoder implements ImageDecoder {
  private final DecodeLimits limits;
  private final boolean partial;

  /** A decoder with {@link DecodeLimits#standard()}. */
  public PictureDecoder() {
    this(DecodeLimits.standard());
  }

  /**
   * A decoder with limits of one's own.
   *
   * @param limits the limits
   */
  public PictureDecoder(DecodeLimits limits) {
    this(Check.notNull(limits, "limits"), false);
  }

  private PictureDecoder(DecodeLimits limits, boolean partial) {
    this.limits = limits;
    this.partial = partial;
  }

  /**
   * A decoder that gives JPEG and PNG files that end too early as far as they go: what is missing
   * is black in a PNG, as in Pillow, and in a JPEG what its decoder puts there, which is grey or,
   * in a progressive one, blurred. A file must have begun with its pixels; other damage stays an
   * error.
   *
   * @return a copy with the same limits
   */
  public PictureDecoder partial() {
    return new PictureDecoder(limits, true);
  }

  @Override
  public Image decode(Path file) {
    Check.notNull(file, "file");
    byte[] bytes;
    try {
      if (Files.isDirectory(file)) {
        throw new ImageException(file + ": is a folder; expected a picture file");
      }
      long size = Files.size(file);
      if (size > limits.maxBytes()) {
        throw tooLong(file.toString(), size);
      }
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new ImageException(file + ": there is no such file", e);
    } catch (IOException e) {
      throw new ImageException(file + ": cannot be read: " + e, e);
    } catch (OutOfMemoryError e) {
      throw new ImageException(file + ": not enough memory to read it", e);
    }
    return decode(bytes, file.toString());
  }

  @Override
  public Image decode(InputStream stream) {
    Check.notNull(stream, "stream");
    byte[] bytes;
    try {
      int most = (int) Math.min(limits.maxBytes() + 1, Integer.MAX_VALUE - 8);
      bytes = stream.readNBytes(most);
    } catch (IOException e) {
      throw new ImageException("stream: cannot be read: " + e, e);
    } catch (OutOfMemoryError e) {
      throw new ImageException("stream: not enough memory to read it", e);
    }
    return decode(bytes, "stream");
  }

  /**
   * Decodes a file held in a buffer, from its position to its limit; neither moves.
   *
   * @param buffer the whole file
   * @param source the name for messages
   * @return the picture
   * @throws ImageException if it is broken, too large or unsupported
   */
  public Image decode(ByteBuffer buffer, String source) {
    Check.notNull(buffer, "buffer");
    Check.notNull(source, "source");
    if (buffer.remaining() > limits.maxBytes()) {
      throw tooLong(source, buffer.remaining());
    }
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return decode(bytes, source);
  }

  @Override
  public Image decode(byte[] bytes, String source) {
    Check.notNull(bytes, "bytes");
    Check.notNull(source, "source");
    if (bytes.length > limits.maxBytes()) {
      throw tooLong(source, bytes.length);
    }
    PictureBytes in = new PictureBytes(bytes, source, limits, partial);
    try {
      Decoded upright = read(in).upright();
      return Image.ofRgb(upright.width(), upright.height(), upright.rgb(), source);
    } catch (ImageException e) {
      throw e;
    } catch (RuntimeException e) {
      // The JDK's reader answers some damage with whatever its code runs into.
      throw in.broken("the picture is damaged: " + e, e);
    } catch (OutOfMemoryError e) {
      throw in.broken("not enough memory to decode it; see the limits of DecodeLimits", e);
    }
  }

  private static Decoded read(PictureBytes in) {
    if (JpegFile.matches(in)) {
      return JpegFile.decode(in);
    }
    if (PngFile.matches(in)) {
      return PngFile.decode(in);
    }
    if (GifFile.matches(in)) {
      return GifFile.decode(in);
    }
    if (BmpFile.matches(in)) {
      return BmpFile.decode(in);
    }
    if (WebpFile.matches(in)) {
      return WebpFile.decode(in);
    }
    if (TiffFile.matches(in)) {
      return TiffFile.decode(in);
    }
    if (BigTiff.matches(in)) {
      return TiffFile.decode(BigTiff.classic(in));
    }
    throw in.broken(unsupported(in));
  }

  private static String unsupported(PictureBytes in) {
    String expected = "; expected JPEG, PNG, GIF, BMP, WebP or TIFF";
    if (in.length() == 0) {
      return "the file is empty" + expected;
    }
    if (in.has(4, "ftyp")) {
      String brand = in.has(8, "avi") ? "AVIF" : "HEIC or another video-based format";
      return "this is "
          + brand
          + ", which needs a video decoder that is not part of this library; convert it to JPEG or"
          + " PNG";
    }
    if (in.has(0, "\u00ff\n") || in.has(0, "\0\0\0\fJXL ")) {
      return "JPEG XL is not supported" + expected;
    }
    if (in.has(0, "\0\0\0\fjP  ") || in.has(0, "\u00ffO\u00ffQ")) {
      return "JPEG 2000 is not supported" + expected;
    }
    StringBuilder first = new StringBuilder();
    for (int i = 0; i < Math.min(8, in.length()); i++) {
      first.append(String.format(i == 0 ? "%02x" : " %02x", in.u8(i)));
    }
    return "this is no known picture format (it begins with " + first + ")" + expected;
  }

  private ImageException tooLong(String source, long size) {
    return new ImageException(
        source + ": has " + size + " bytes or more; the limit is " + limits.maxBytes());
  }
}
