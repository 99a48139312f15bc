package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The README's first lines, to the letter, on tiny models under the published names. */
class FirstStepsTest {
  @BeforeAll
  static void prepare() {
    TinyHub.prepare();
  }

  @Test
  void ranksAsksAndDraws() throws IOException {
    try (LeftFiles files = new LeftFiles()) {
      String photo = files.picture("photo.png").toString();
      Path drawn = files.written("lighthouse.png");
      assertThat(ExamplesTest.output(() -> FirstSteps.main(new String[] {"rank", photo})).strip())
          .isIn("a photo of a cat", "고양이 사진");
      assertThat(ExamplesTest.output(() -> FirstSteps.main(new String[] {"ask", photo})).strip())
          .isNotEmpty();
      FirstSteps.main(new String[] {"generate"});
      LeftFiles.isPicture(drawn);
    }
  }
}
