package dev.lmm.core.vision.draw;

import dev.lmm.Check;
import dev.lmm.Drawing;
import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.spi.ImageDrawer;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;
import java.util.Locale;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Draws with the JDK's own rasteriser, without a display. Stateless and thread-safe. */
public final class PictureDrawer implements ImageDrawer {
  private static final float JPEG_QUALITY = 0.95f;

  /** For {@link java.util.ServiceLoader}. */
  public PictureDrawer() {}

  @Override
  public Drawing draw(Image image) {
    return new AwtDrawing(Check.notNull(image, "image"));
  }

  @Override
  public void save(Image image, Path file) {
    Check.notNull(image, "image");
    Check.notNull(file, "file");
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    boolean jpeg = name.endsWith(".jpg") || name.endsWith(".jpeg");
    if (!jpeg && !name.endsWith(".png")) {
      throw new ImageException(file + ": expected a name that ends in .png, .jpg or .jpeg");
    }
    Path absolute = file.toAbsolutePath();
    if (!Files.isDirectory(absolute.getParent())) {
      throw new ImageException(
          file + ": cannot be written: there is no folder " + absolute.getParent());
    }
    try {
      // Whole or not at all: written beside the target, then moved.
      Path fresh = Files.createTempFile(absolute.getParent(), ".lmm-", ".tmp");
      try {
        try (var stream = Files.newOutputStream(fresh);
            ImageOutputStream out = new MemoryCacheImageOutputStream(stream)) {
          write(buffered(image), jpeg ? "jpeg" : "png", jpeg, out);
        }
        Files.move(fresh, absolute, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(fresh);
      }
    } catch (IOException e) {
      throw new ImageException(file + ": cannot be written: " + e, e);
    }
  }

  private static void write(
      BufferedImage picture, String format, boolean jpeg, ImageOutputStream out)
      throws IOException {
    Iterator<ImageWriter> writers = ImageIO.getImageWritersByFormatName(format);
    if (!writers.hasNext()) {
      throw new IOException("this Java platform writes no " + format);
    }
    ImageWriter writer = writers.next();
    try {
      ImageWriteParam parameters = writer.getDefaultWriteParam();
      if (jpeg) {
        parameters.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        parameters.setCompressionQuality(JPEG_QUALITY);
      }
      writer.setOutput(out);
      writer.write(null, new IIOImage(picture, null, null), parameters);
    } finally {
      writer.dispose();
    }
  }

  /** A copy that can be drawn on. */
  static BufferedImage buffered(Image image) {
    int width = image.width();
    BufferedImage picture = new BufferedImage(width, image.height(), BufferedImage.TYPE_INT_RGB);
    byte[] rgb = image.rgb();
    int[] row = new int[width];
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0, i = y * width * 3; x < width; x++, i += 3) {
        row[x] = (rgb[i] & 0xFF) << 16 | (rgb[i + 1] & 0xFF) << 8 | (rgb[i + 2] & 0xFF);
      }
      picture.getRaster().setDataElements(0, y, width, 1, row);
    }
    return picture;
  }

  static Image image(BufferedImage picture, String source) {
    int width = picture.getWidth();
    byte[] rgb = new byte[width * picture.getHeight() * 3];
    int[] row = new int[width];
    for (int y = 0, i = 0; y < picture.getHeight(); y++) {
      picture.getRaster().getDataElements(0, y, width, 1, row);
      for (int pixel : row) {
        rgb[i++] = (byte) (pixel >> 16);
        rgb[i++] = (byte) (pixel >> 8);
        rgb[i++] = (byte) pixel;
      }
    }
    return Image.ofRgb(width, picture.getHeight(), rgb, source);
  }
}
