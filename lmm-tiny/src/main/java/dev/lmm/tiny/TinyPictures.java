package dev.lmm.tiny;

import dev.lmm.Image;
import dev.lmm.Video;
import dev.lmm.core.json.Json;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** Drawn pictures, none of which the tiny models were trained on. Thread-safe. */
public final class TinyPictures {
  private static final int CLIP_FRAMES = 12;
  private static final double CLIP_FPS = 4;

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
   * Pictures to embed and to compare with captions.
   *
   * @return in a fixed order
   */
  public static List<Captioned> all() {
    return listed("captions.json");
  }

  /**
   * Pictures of several things each, to find them in.
   *
   * @return in a fixed order
   */
  public static List<Captioned> scenes() {
    return listed("scenes.json");
  }

  /**
   * A clip to follow things through: a red circle goes past a blue square and a green triangle.
   *
   * @return 12 frames, taken at 4 a second
   */
  public static Video clip() {
    return Video.of(
        IntStream.rangeClosed(1, CLIP_FRAMES)
            .mapToObj(i -> Image.read(bytes(String.format(Locale.ROOT, "clip-%02d.png", i))))
            .toList(),
        CLIP_FPS);
  }

  private static List<Captioned> listed(String list) {
    return Json.parse(bytes(list), list).elements().stream()
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
