package dev.lmm.cli;

import dev.lmm.Image;
import dev.lmm.ImageException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOInvalidTreeException;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;

/** Pictures that play one after the other, again and again. */
final class AnimatedGif {
  private static final String FORMAT = "javax_imageio_gif_image_1.0";

  private AnimatedGif() {}

  /**
   * Writes them.
   *
   * @param frames of one size, at least one
   * @param fps how many a second; browsers show at most 50
   * @param file is written anew
   */
  static void write(List<Image> frames, double fps, Path file) {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("gif").next();
    try {
      Files.deleteIfExists(file);
      try (ImageOutputStream out = ImageIO.createImageOutputStream(file.toFile())) {
        if (out == null) {
          throw new IOException("no stream can be opened");
        }
        writer.setOutput(out);
        writer.prepareWriteSequence(null);
        for (Image frame : frames) {
          BufferedImage picture = picture(frame);
          writer.writeToSequence(
              new IIOImage(picture, null, metadata(writer, picture, fps)),
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

  private static BufferedImage picture(Image image) {
    BufferedImage picture =
        new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
    int[] row = new int[image.width()];
    byte[] rgb = image.rgb();
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < row.length; x++) {
        int at = (y * row.length + x) * 3;
        row[x] = (rgb[at] & 0xFF) << 16 | (rgb[at + 1] & 0xFF) << 8 | (rgb[at + 2] & 0xFF);
      }
      picture.setRGB(0, y, row.length, 1, row, 0, row.length);
    }
    return picture;
  }

  private static IIOMetadata metadata(ImageWriter writer, BufferedImage picture, double fps)
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
    control.setAttribute(
        "delayTime", Long.toString(Math.min(65_535, Math.max(2, Math.round(100 / fps)))));
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
