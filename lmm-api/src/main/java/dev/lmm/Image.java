package dev.lmm;

import dev.lmm.spi.ImageDecoder;
import dev.lmm.spi.ImageDrawer;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ServiceLoader;

/**
 * A picture: 8-bit RGB, rows top to bottom, pixels left to right, channels interleaved.
 *
 * <p>Reading follows Pillow: the first frame, turned as EXIF says, converted to RGB (alpha is
 * dropped). The content decides the format, never the file name.
 *
 * <p>Thread-safe as long as nobody writes to {@link #rgb()}.
 */
public final class Image {
  private final int width;
  private final int height;
  private final byte[] rgb;
  private final String source;

  private Image(int width, int height, byte[] rgb, String source) {
    this.width = width;
    this.height = height;
    this.rgb = rgb;
    this.source = source;
  }

  /**
   * Reads a picture file.
   *
   * @param file the file; its content decides the format
   * @return the picture
   * @throws ImageException if the file is missing, broken, too large or of an unsupported format
   */
  public static Image read(Path file) {
    return decoder().decode(Check.notNull(file, "file"));
  }

  /**
   * Reads a picture from the bytes of a file.
   *
   * @param bytes the whole file
   * @return the picture
   * @throws ImageException if the bytes are no readable picture
   */
  public static Image read(byte[] bytes) {
    return decoder().decode(Check.notNull(bytes, "bytes"), "bytes");
  }

  /**
   * Reads a picture from a stream, to its end. The stream is not closed.
   *
   * @param stream the whole file
   * @return the picture
   * @throws ImageException if the stream cannot be read or holds no readable picture
   */
  public static Image read(InputStream stream) {
    return decoder().decode(Check.notNull(stream, "stream"));
  }

  /**
   * Reads a picture from a buffer, from its position to its limit; neither moves.
   *
   * @param buffer the whole file
   * @return the picture
   * @throws ImageException if the bytes are no readable picture
   */
  public static Image read(ByteBuffer buffer) {
    byte[] bytes = new byte[Check.notNull(buffer, "buffer").remaining()];
    buffer.duplicate().get(bytes);
    return decoder().decode(bytes, "buffer");
  }

  /**
   * A picture over raw pixels. The array is used as it is, not copied.
   *
   * @param width width in pixels, at least 1
   * @param height height in pixels, at least 1
   * @param rgb {@code width * height * 3} bytes: red, green, blue of each pixel, row by row
   * @return the picture
   * @throws InvalidRequestException if sizes and array do not fit
   */
  public static Image ofRgb(int width, int height, byte[] rgb) {
    return ofRgb(width, height, rgb, "pixels");
  }

  /**
   * A picture over raw pixels, with a name for messages.
   *
   * @param width width in pixels, at least 1
   * @param height height in pixels, at least 1
   * @param rgb {@code width * height * 3} bytes, used as they are
   * @param source where the pixels came from, as it should stand in messages
   * @return the picture
   * @throws InvalidRequestException if sizes and array do not fit
   */
  public static Image ofRgb(int width, int height, byte[] rgb, String source) {
    Check.notNull(rgb, "rgb");
    Check.notNull(source, "source");
    if (width < 1 || height < 1 || (long) width * height * 3 != rgb.length) {
      throw new InvalidRequestException(
          "rgb: "
              + rgb.length
              + " bytes do not make a picture of "
              + width
              + "x"
              + height
              + "; expected width and height of at least 1 and width*height*3 bytes");
    }
    return new Image(width, height, rgb, source);
  }

  /**
   * Width.
   *
   * @return pixels, at least 1
   */
  public int width() {
    return width;
  }

  /**
   * Height.
   *
   * @return pixels, at least 1
   */
  public int height() {
    return height;
  }

  /**
   * The pixels, shared and not copied: do not write to them.
   *
   * @return {@code width * height * 3} bytes: red, green, blue of each pixel, row by row
   */
  public byte[] rgb() {
    return rgb;
  }

  /**
   * Where the picture came from.
   *
   * @return the file as it was given, or a word for the kind of source
   */
  public String source() {
    return source;
  }

  /**
   * Begins to draw results over a copy of this picture.
   *
   * @return the drawing
   */
  public Drawing draw() {
    return drawer().draw(this);
  }

  /**
   * Writes the picture as PNG or JPEG (quality 95).
   *
   * @param file ends in {@code .png}, {@code .jpg} or {@code .jpeg}; replaced if it exists
   * @throws ImageException if it cannot be written
   */
  public void save(Path file) {
    drawer().save(this, Check.notNull(file, "file"));
  }

  @Override
  public String toString() {
    return "Image[" + source + ", " + width + "x" + height + "]";
  }

  private static ImageDecoder decoder() {
    return Holder.DECODER;
  }

  private static ImageDrawer drawer() {
    return DrawerHolder.DRAWER;
  }

  /** Looks the drawer up once. */
  private static final class DrawerHolder {
    static final ImageDrawer DRAWER =
        ServiceLoader.load(ImageDrawer.class, Image.class.getClassLoader())
            .findFirst()
            .orElseThrow(
                () ->
                    new ImageException(
                        "Nothing on the class path draws; add the artifact dev.lmm:lmm-core"));
  }

  /** Looks the decoder up once. */
  private static final class Holder {
    static final ImageDecoder DECODER =
        ServiceLoader.load(ImageDecoder.class, Image.class.getClassLoader())
            .findFirst()
            .orElseThrow(
                () ->
                    new ImageException(
                        "No picture decoder on the class path; add the artifact dev.lmm:lmm-core"));
  }
}
