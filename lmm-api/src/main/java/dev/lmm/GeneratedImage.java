package dev.lmm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A picture a {@link Generator} made.
 *
 * @param image the picture
 * @param seed its seed: the same request with it makes the same picture
 * @param scheduler name of the scheduler
 * @param steps number of denoising steps
 * @param parameters the request as other tools write and read it in PNG files: prompt, negative
 *     prompt, and a line of settings
 * @param withheld whether the model's safety checker put a black picture in its place
 */
public record GeneratedImage(
    Image image, long seed, String scheduler, int steps, String parameters, boolean withheld) {

  /**
   * Writes the picture. A PNG carries {@link #parameters} in a text chunk of that name, and the
   * mark of IPTC for what a model made: {@code DigitalSourceType trainedAlgorithmicMedia}, in XMP.
   *
   * @param file ends in {@code .png}, {@code .jpg} or {@code .jpeg}; replaced if it exists
   * @throws ImageException if it cannot be written
   */
  public void save(Path file) {
    image.save(file);
    if (file.toString().toLowerCase(java.util.Locale.ROOT).endsWith(".png")) {
      PngText.add(file, "parameters", parameters);
      PngText.add(file, "XML:com.adobe.xmp", PngText.MADE_BY_A_MODEL);
    }
  }

  /**
   * The picture as the bytes of a PNG file, as {@link #save} writes it.
   *
   * @return the file's bytes
   * @throws ImageException if it cannot be written
   */
  public byte[] png() {
    try {
      Path file = Files.createTempFile("lmm", ".png");
      try {
        save(file);
        return Files.readAllBytes(file);
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new ImageException("A picture cannot be written as PNG: " + e, e);
    }
  }
}
