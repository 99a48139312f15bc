package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Score;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What docs/clip.md shows. */
class ClipPageTest {
  @BeforeAll
  static void prepare() {
    TinyHub.prepare();
  }

  @Test
  void ranksTextsForAPhoto() throws IOException {
    try (LeftFiles files = new LeftFiles()) {
      files.picture("photo.jpg");
      String printed =
          ExamplesTest.output(
              () -> {
                try (Encoder encoder = Models.encoder("openai/clip-vit-base-patch32").load()) {
                  Image photo = Image.read(Path.of("photo.jpg"));
                  for (Score score : encoder.rank(photo, List.of("a cat", "a dog", "a bicycle"))) {
                    System.out.println(
                        score.text() + ": " + score.similarity() + ", " + score.probability());
                  }
                  float[] vector = encoder.embed(photo); // of length 1; a dot product is the cosine
                  System.out.println(vector.length);
                }
              });
      assertThat(printed.lines()).hasSize(4);
    }
  }
}
