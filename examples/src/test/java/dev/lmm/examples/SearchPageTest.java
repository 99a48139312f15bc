package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Encoder;
import dev.lmm.Models;
import dev.lmm.search.PhotoIndex;
import dev.lmm.tiny.TinyPictures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What docs/search.md shows; the filters stand in {@link PhotoAlbum}. */
class SearchPageTest {
  @BeforeEach
  void writePictures() throws IOException {
    TinyHub.prepare();
    remove();
    Path folder = Files.createDirectory(Path.of("Pictures"));
    for (TinyPictures.Captioned picture : TinyPictures.all()) {
      Files.write(folder.resolve(picture.file()), TinyPictures.bytes(picture.file()));
    }
  }

  @AfterEach
  void remove() throws IOException {
    for (Path folder : new Path[] {Path.of("Pictures"), Path.of("Pictures.lmm-index")}) {
      if (Files.exists(folder)) {
        try (Stream<Path> files = Files.walk(folder)) {
          for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
            Files.delete(file);
          }
        }
      }
    }
  }

  @Test
  void findsPicturesByText() throws IOException {
    String printed =
        ExamplesTest.output(
            () -> {
              try (Encoder encoder = Models.encoder("google/siglip2-base-patch16-224").load();
                  PhotoIndex photos = PhotoIndex.open(encoder, Path.of("Pictures"))) {
                photos.update().run();
                photos
                    .search("눈 덮인 산")
                    .run()
                    .forEach(found -> System.out.println(found.photo().file()));
              }
            });
    assertThat(printed.lines()).isNotEmpty().allMatch(line -> line.contains("Pictures"));
  }
}
