package dev.lmm.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Encoder;
import dev.lmm.Models;
import dev.lmm.Precision;
import dev.lmm.tiny.TinyPictures;
import dev.lmm.tiny.TinyPictures.Captioned;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real pictures and trained models. */
class TinyModelsTest {
  private static final List<Captioned> PICTURES = TinyPictures.all();

  @TempDir Path temporary;
  private Path folder;

  @BeforeEach
  void writePictures() throws IOException {
    folder = Files.createDirectories(temporary.resolve("pictures"));
    for (Captioned picture : PICTURES) {
      Files.write(folder.resolve(picture.file()), TinyPictures.bytes(picture.file()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-clip", "tiny-siglip2"})
  void picturesAreFoundByEnglishKoreanAndPictures(String model) {
    try (Encoder encoder = Models.encoder(model).load();
        PhotoIndex photos = PhotoIndex.open(encoder, folder)) {
      assertThat(photos.update().run().added()).isEqualTo(PICTURES.size());
      for (Captioned picture : PICTURES) {
        Found byPicture = photos.search(picture.image()).top(1).run().get(0);
        assertThat(byPicture.photo().path()).isEqualTo(picture.file());
        assertThat(byPicture.similarity()).isCloseTo(1, within(1e-5));
        assertThat(byPicture.photo().width()).isEqualTo(picture.image().width());
        assertThat(byPicture.photo().height()).isEqualTo(picture.image().height());
        for (String caption : List.of(picture.english(), picture.korean())) {
          Found byText = photos.search(caption).top(1).run().get(0);
          assertThat(byText.photo().path()).as(caption).isEqualTo(picture.file());
          // The same cosine as without an index.
          assertThat(byText.similarity())
              .isCloseTo(
                  encoder.rank(picture.image(), List.of(caption)).get(0).similarity(),
                  within(1e-5));
        }
      }
    }
  }

  @Test
  void theSameModelIsAcceptedFromElsewhereAndAnotherPrecisionIsNot() {
    Path index = temporary.resolve("index");
    try (Encoder encoder = Models.encoder("tiny-clip").load();
        PhotoIndex photos = PhotoIndex.open(encoder, folder, index)) {
      photos.update().run();
    }
    try (Encoder reference = Models.encoder("tiny-clip").engine("reference").load();
        PhotoIndex photos = PhotoIndex.open(reference, folder, index)) {
      assertThat(photos.update().run().unchanged()).isEqualTo(PICTURES.size());
      Captioned wanted = PICTURES.get(2);
      assertThat(photos.search(wanted.korean()).run().get(0).photo().path())
          .isEqualTo(wanted.file());
    }
    try (Encoder coarse = Models.encoder("tiny-clip").precision(Precision.INT8).load()) {
      assertThatThrownBy(() -> PhotoIndex.open(coarse, folder, index))
          .isInstanceOf(IndexException.class)
          .hasMessageContaining("was made with tiny-clip in fp32, this is tiny-clip in int8");
    }
    try (Encoder other = Models.encoder("tiny-siglip2").load()) {
      assertThatThrownBy(() -> PhotoIndex.open(other, folder, index))
          .isInstanceOf(IndexException.class)
          .hasMessageContaining("this is tiny-siglip2 in fp32");
    }
    try (Encoder random = Models.encoder("tiny-clip").randomWeights(5).load()) {
      assertThatThrownBy(() -> PhotoIndex.open(random, folder, index))
          .isInstanceOf(IndexException.class)
          .hasMessageContaining("with other weights");
    }
  }

  @Test
  void photographsTellWhenTheyWereTakenAndWhichWayTheyLie() throws IOException {
    Path dates = Path.of("src/test/resources/golden/dates");
    for (String file : List.of("original.jpg", "original.webp", "original.png")) {
      Files.copy(dates.resolve(file), folder.resolve(file));
    }
    Files.copy(
        Path.of("../lmm-clip/src/test/resources/golden/pictures/turned-128x90.jpg"),
        folder.resolve("turned.jpg"));
    Files.writeString(folder.resolve("cut.jpg"), "hello");
    try (Encoder encoder = Models.encoder("tiny-clip").load();
        PhotoIndex photos = PhotoIndex.open(encoder, folder)) {
      UpdateReport report = photos.update().run();
      assertThat(report.added()).isEqualTo(PICTURES.size() + 4);
      assertThat(report.firstSkipped()).hasSize(1);
      assertThat(report.firstSkipped().get(0).reason()).contains("cut.jpg: ");
      for (String file : List.of("original.jpg", "original.webp", "original.png")) {
        assertThat(photos.photo(Path.of(file)).orElseThrow().taken())
            .isEqualTo(LocalDateTime.of(2024, 7, 1, 12, 30, 5));
      }
      Photo turned = photos.photo(Path.of("turned.jpg")).orElseThrow();
      // 128x90 in the file, to be seen turned.
      assertThat(List.of(turned.width(), turned.height())).isEqualTo(List.of(90, 128));
      assertThat(turned.orientation()).isEqualTo(Orientation.PORTRAIT);
    }
  }
}
