package dev.lmm.search;

import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.util.Map;

/**
 * What an index knows of a picture.
 *
 * @param file where it lay when the index was last updated
 * @param path the same below the folder of the index, with slashes: {@code 2024/summer/IMG_1.jpg}
 * @param bytes size of the file
 * @param modified when the file was last written
 * @param taken when it was taken, as its EXIF notes say, in the camera's own time; when the file
 *     was last written, in this machine's time zone, if they do not
 * @param width pixels, turned upright
 * @param height pixels, turned upright
 * @param tags what the application noted about it: {@link UpdateRequest#describedBy}, {@link
 *     PhotoIndex#tag}
 */
public record Photo(
    Path file,
    String path,
    long bytes,
    Instant modified,
    LocalDateTime taken,
    int width,
    int height,
    Map<String, String> tags) {
  /**
   * Copies the tags.
   *
   * @param file where it lies
   * @param path the same below the folder
   * @param bytes size of the file
   * @param modified when it was last written
   * @param taken when it was taken
   * @param width pixels
   * @param height pixels
   * @param tags what was noted about it
   */
  public Photo {
    tags = Map.copyOf(tags);
  }

  /**
   * Which way it lies.
   *
   * @return by width and height
   */
  public Orientation orientation() {
    return Orientation.of(width, height);
  }
}
