package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What docs/migration.md shows. */
class MigrationPageTest {
  @BeforeAll
  static void prepare() {
    TinyHub.prepare();
  }

  @Test
  void printsACosine() throws IOException {
    try (LeftFiles files = new LeftFiles()) {
      Path photo = files.picture("photo.png");
      String printed =
          ExamplesTest.output(
              () -> {
                try (Encoder encoder = Models.encoder("openai/clip-vit-base-patch32").load()) {
                  float[] picture = encoder.embed(Image.read(photo));
                  float[] text = encoder.embed("a photo of a cat");
                  double cosine = 0;
                  for (int i = 0; i < picture.length; i++) {
                    cosine += picture[i] * text[i];
                  }
                  System.out.println(cosine);
                }
              });
      assertThat(Double.parseDouble(printed.strip())).isBetween(-1.0, 1.0);
    }
  }
}
