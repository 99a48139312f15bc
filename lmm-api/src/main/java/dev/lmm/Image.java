package dev.lmm;

import dev.lmm.spi.ImageDecoder;
import dev.lmm.spi.ImageDrawer;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
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
    checkPixels(width, height, rgb.length, 3, "rgb");
    return new Image(width, height, rgb, source);
  }

  /**
   * A picture over raw pixels with alpha, which is dropped, as reading a file drops it: the colour
   * under a transparent pixel counts.
   *
   * @param width width in pixels, at least 1
   * @param height height in pixels, at least 1
   * @param rgba {@code width * height * 4} bytes: red, green, blue, alpha of each pixel, row by
   *     row, not premultiplied; copied
   * @return the picture
   * @throws InvalidRequestException if sizes and array do not fit
   */
  public static Image ofRgba(int width, int height, byte[] rgba) {
    checkPixels(width, height, Check.notNull(rgba, "rgba").length, 4, "rgba");
    byte[] rgb = new byte[width * height * 3];
    for (int in = 0, out = 0; in < rgba.length; in += 4) {
      rgb[out++] = rgba[in];
      rgb[out++] = rgba[in + 1];
      rgb[out++] = rgba[in + 2];
    }
    return new Image(width, height, rgb, "pixels");
  }

  /**
   * A picture over raw pixels with alpha, laid over a colour as Pillow's {@code alpha_composite}
   * does, to the last bit.
   *
   * @param width width in pixels, at least 1
   * @param height height in pixels, at least 1
   * @param rgba {@code width * height * 4} bytes: red, green, blue, alpha of each pixel, row by
   *     row, not premultiplied; copied
   * @param background the colour below, as {@code 0xRRGGBB}: {@code 0xFFFFFF} is white
   * @return the picture
   * @throws InvalidRequestException if sizes and array do not fit, or the colour is none
   */
  public static Image ofRgba(int width, int height, byte[] rgba, int background) {
    checkPixels(width, height, Check.notNull(rgba, "rgba").length, 4, "rgba");
    checkColour(background);
    byte[] rgb = new byte[width * height * 3];
    for (int in = 0, out = 0; in < rgba.length; in += 4) {
      int alpha = rgba[in + 3] & 0xFF;
      rgb[out++] = blended(rgba[in], background >> 16, alpha);
      rgb[out++] = blended(rgba[in + 1], background >> 8, alpha);
      rgb[out++] = blended(rgba[in + 2], background, alpha);
    }
    return new Image(width, height, rgb, "pixels");
  }

  /**
   * A picture over raw levels of grey.
   *
   * @param width width in pixels, at least 1
   * @param height height in pixels, at least 1
   * @param grey {@code width * height} bytes, row by row: 0 is black, 255 white; copied
   * @return the picture, whose red, green and blue are the level
   * @throws InvalidRequestException if sizes and array do not fit
   */
  public static Image ofGrey(int width, int height, byte[] grey) {
    checkPixels(width, height, Check.notNull(grey, "grey").length, 1, "grey");
    byte[] rgb = new byte[width * height * 3];
    int out = 0;
    for (byte level : grey) {
      rgb[out++] = level;
      rgb[out++] = level;
      rgb[out++] = level;
    }
    return new Image(width, height, rgb, "pixels");
  }

  /**
   * A picture of AWT, of any type. Alpha is dropped; levels of grey stay as they are (AWT's own
   * conversion would brighten them), 16-bit ones by their upper half; other colour spaces become
   * sRGB.
   *
   * @param image the picture; copied
   * @return the picture
   * @throws InvalidRequestException if it has more than 715,827,879 pixels
   */
  public static Image of(BufferedImage image) {
    return copied(image, -1);
  }

  /**
   * A picture of AWT, of any type, laid over a colour as Pillow's {@code alpha_composite} does.
   *
   * @param image the picture; copied
   * @param background the colour below, as {@code 0xRRGGBB}
   * @return the picture
   * @throws InvalidRequestException if it has more than 715,827,879 pixels, or the colour is none
   */
  public static Image of(BufferedImage image, int background) {
    checkColour(background);
    return copied(image, background);
  }

  private static Image copied(BufferedImage image, int background) {
    int width = Check.notNull(image, "image").getWidth();
    int height = image.getHeight();
    Check.that(
        (long) width * height * 3 <= Integer.MAX_VALUE - 8,
        "image: has " + width + "x" + height + " pixels; at most 715827879 are taken");
    byte[] rgb = new byte[width * height * 3];
    int[] row = new int[width];
    for (int y = 0, out = 0; y < height; y++) {
      argb(image, y, row);
      for (int pixel : row) {
        int alpha = pixel >>> 24;
        for (int shift = 16; shift >= 0; shift -= 8) {
          byte level = (byte) (pixel >> shift);
          rgb[out++] = background < 0 ? level : blended(level, background >> shift, alpha);
        }
      }
    }
    return new Image(width, height, rgb, "BufferedImage");
  }

  /** A row of pixels, alpha uppermost, not premultiplied. */
  private static void argb(BufferedImage image, int y, int[] row) {
    ColorModel model = image.getColorModel();
    Raster raster = image.getRaster();
    int type = raster.getTransferType();
    boolean grey =
        raster.getNumBands() <= 2
            && model.getColorSpace().getType() == ColorSpace.TYPE_GRAY
            && model.getNumComponents() == raster.getNumBands()
            && !model.isAlphaPremultiplied()
            && (type == DataBuffer.TYPE_BYTE || type == DataBuffer.TYPE_USHORT);
    if (!grey) {
      image.getRGB(0, y, row.length, 1, row, 0, row.length);
      return;
    }
    int shift = type == DataBuffer.TYPE_BYTE ? 0 : 8;
    int[] samples = raster.getSamples(0, y, row.length, 1, 0, (int[]) null);
    int[] alphas =
        raster.getNumBands() == 2 ? raster.getSamples(0, y, row.length, 1, 1, (int[]) null) : null;
    for (int x = 0; x < row.length; x++) {
      int alpha = alphas == null ? 255 : alphas[x] >> shift;
      row[x] = alpha << 24 | (samples[x] >> shift) * 0x010101;
    }
  }

  /** Pillow's rounding: seven more bits than the result has. */
  private static byte blended(byte above, int below, int alpha) {
    int sum = ((above & 0xFF) * alpha + (below & 0xFF) * (255 - alpha) + 0x80) << 7;
    return (byte) (((sum >> 8) + sum) >> 8 >> 7);
  }

  private static void checkColour(int background) {
    Check.that(
        background >= 0 && background <= 0xFFFFFF,
        "background: is "
            + (background < 0
                ? Integer.toString(background)
                : "0x" + Integer.toHexString(background))
            + "; expected 0xRRGGBB");
  }

  private static void checkPixels(int width, int height, int bytes, int channels, String name) {
    long pixels = (long) width * height;
    if (width < 1 || height < 1 || pixels * channels != bytes) {
      throw new InvalidRequestException(
          name
              + ": "
              + bytes
              + " bytes do not make a picture of "
              + width
              + "x"
              + height
              + "; expected width and height of at least 1 and width*height"
              + (channels == 1 ? "" : "*" + channels)
              + " bytes");
    }
    Check.that(
        pixels * 3 <= Integer.MAX_VALUE - 8,
        name + ": has " + pixels + " pixels; at most 715827879 are taken");
  }

  /**
   * The picture for AWT.
   *
   * @return a copy, of the type {@code TYPE_INT_RGB}
   */
  public BufferedImage toBufferedImage() {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    int[] row = new int[width];
    for (int y = 0, in = 0; y < height; y++) {
      for (int x = 0; x < width; x++, in += 3) {
        row[x] = (rgb[in] & 0xFF) << 16 | (rgb[in + 1] & 0xFF) << 8 | (rgb[in + 2] & 0xFF);
      }
      image.setRGB(0, y, width, 1, row, 0, width);
    }
    return image;
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
