package dev.lmm.examples;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.search.Orientation;
import dev.lmm.search.PhotoFilter;
import dev.lmm.search.PhotoIndex;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Map;

/** Finds pictures that look like one, among those of this century that lie across. */
public final class PhotoAlbum {
  private PhotoAlbum() {}

  /**
   * Prints how near they are, nearest first.
   *
   * @param arguments model, folder, picture
   */
  public static void main(String[] arguments) {
    Path folder = Path.of(arguments[1]);
    try (Encoder encoder = Models.encoder(arguments[0]).load();
        PhotoIndex photos = PhotoIndex.open(encoder, folder)) {
      photos.update().describedBy(file -> Map.of("owner", "me")).run();
      PhotoFilter filter =
          PhotoFilter.taken(LocalDate.of(2000, 1, 1), LocalDate.of(2099, 12, 31))
              .and(PhotoFilter.orientation(Orientation.PORTRAIT).not())
              .and(PhotoFilter.path("**.{png,jpg}"))
              .and(PhotoFilter.tag("owner", "me"));
      Image like = Image.read(Path.of(arguments[2]));
      photos
          .search(like)
          .only(filter)
          .run()
          .forEach(f -> System.out.printf("%.3f %s%n", f.similarity(), f.photo().path()));
    }
  }
}
