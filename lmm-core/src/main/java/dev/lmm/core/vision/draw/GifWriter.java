package dev.lmm.core.vision.draw;

import dev.lmm.ImageException;
import dev.lmm.Video;
import dev.lmm.spi.VideoEncoder;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOInvalidTreeException;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;

/**
 * Writes animated GIFs that play for ever. Times are rounded to hundredths of a second, at least
 * two for a frame: browsers show no more than 50 in a second. Stateless and thread-safe.
 */
public final class GifWriter implements VideoEncoder {
  private static final String FORMAT = "javax_imageio_gif_image_1.0";
  private static final int LONGEST = 65_535;

  /** For the service loader. */
  public GifWriter() {}

  @Override
  public Set<String> endings() {
    return Set.of("gif");
  }

  @Override
  public void encode(Video video, Path file) {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("gif").next();
    try {
      Files.deleteIfExists(file);
      try (ImageOutputStream out = ImageIO.createImageOutputStream(file.toFile())) {
        if (out == null) {
          throw new IOException("no stream can be opened");
        }
        writer.setOutput(out);
        writer.prepareWriteSequence(null);
        for (int i = 0; i < video.frames().size(); i++) {
          BufferedImage picture = video.frames().get(i).toBufferedImage();
          writer.writeToSequence(
              new IIOImage(picture, null, metadata(writer, picture, delay(video, i))),
              writer.getDefaultWriteParam());
        }
        writer.endWriteSequence();
      }
    } catch (IOException e) {
      throw new ImageException(file + ": cannot be written: " + e, e);
    } finally {
      writer.dispose();
    }
  }

  /** From the start of a frame to that of the next; errors of rounding do not add up. */
  private static long delay(Video video, int i) {
    List<Double> seconds = video.seconds();
    double end = i + 1 < seconds.size() ? seconds.get(i + 1) : seconds.get(i) + 1 / video.fps();
    long hundredths = Math.round(100 * end) - Math.round(100 * seconds.get(i));
    return Math.min(LONGEST, Math.max(2, hundredths));
  }

  private static IIOMetadata metadata(ImageWriter writer, BufferedImage picture, long delay)
      throws IIOInvalidTreeException {
    IIOMetadata metadata =
        writer.getDefaultImageMetadata(
            ImageTypeSpecifier.createFromRenderedImage(picture), writer.getDefaultWriteParam());
    IIOMetadataNode root = new IIOMetadataNode(FORMAT);
    IIOMetadataNode control = new IIOMetadataNode("GraphicControlExtension");
    control.setAttribute("disposalMethod", "none");
    control.setAttribute("userInputFlag", "FALSE");
    control.setAttribute("transparentColorFlag", "FALSE");
    control.setAttribute("transparentColorIndex", "0");
    control.setAttribute("delayTime", Long.toString(delay));
    root.appendChild(control);
    IIOMetadataNode extensions = new IIOMetadataNode("ApplicationExtensions");
    IIOMetadataNode loop = new IIOMetadataNode("ApplicationExtension");
    loop.setAttribute("applicationID", "NETSCAPE");
    loop.setAttribute("authenticationCode", "2.0");
    loop.setUserObject(new byte[] {1, 0, 0}); // for ever
    extensions.appendChild(loop);
    root.appendChild(extensions);
    metadata.mergeTree(FORMAT, root);
    return metadata;
  }
}
