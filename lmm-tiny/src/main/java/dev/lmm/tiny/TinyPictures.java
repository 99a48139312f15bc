package dev.lmm.tiny;

import dev.lmm.Image;
import dev.lmm.core.json.Json;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/** Drawn pictures, none of which the tiny models were trained on. Thread-safe. */
public final class TinyPictures {
  private TinyPictures() {}

  /**
   * A picture and what is on it.
   *
   * @param file its file name
   * @param image the picture
   * @param english a caption
   * @param korean the same in Korean
   */
  public record Captioned(String file, Image image, String english, String korean) {}

  /**
   * All pictures.
   *
   * @return in a fixed order
   */
  public static List<Captioned> all() {
    return Json.parse(bytes("captions.json"), "captions.json").elements().stream()
        .map(
            entry ->
                new Captioned(
                    entry.stringAt("file"),
                    Image.read(bytes(entry.stringAt("file"))),
                    entry.stringAt("en"),
                    entry.stringAt("ko")))
        .toList();
  }

  /**
   * The file of a picture, as it lies in the jar.
   *
   * @param file its file name
   * @return PNG
   */
  public static byte[] bytes(String file) {
    try (InputStream stream = TinyPictures.class.getResourceAsStream("pictures/" + file)) {
      if (stream == null) {
        throw new FileNotFoundException(file + " is not in the jar of lmm-tiny");
      }
      return stream.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
