package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Bundled;
import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Score;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What docs/offline.md shows. */
class OfflinePageTest {
  @BeforeAll
  static void prepare() {
    TinyHub.prepare();
  }

  @Test
  void packsAndLoads() throws IOException {
    try (LeftFiles files = new LeftFiles()) {
      files.written("clip.lmm");
      Path photo = files.picture("photo.png");
      String packed =
          ExamplesTest.output(
              () -> {
                Bundled bundle =
                    Models.bundle("openai/clip-vit-base-patch32").write(Path.of("clip.lmm"));
                System.out.println(bundle.bytes() + " bytes, natives of " + bundle.natives());
              });
      assertThat(packed).contains("onnxruntime", "tokenizers");
      String best =
          ExamplesTest.output(
              () -> {
                try (Encoder clip = Models.encoder("clip.lmm").load()) {
                  List<Score> scores =
                      clip.rank(Image.read(photo), List.of("a photo of a cat", "고양이 사진"));
                  System.out.println(Score.best(scores).text());
                }
              });
      assertThat(best.strip()).isIn("a photo of a cat", "고양이 사진");
    }
  }
}
