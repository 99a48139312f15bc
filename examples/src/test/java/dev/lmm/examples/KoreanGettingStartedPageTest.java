package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Chat;
import dev.lmm.Conversation;
import dev.lmm.Encoder;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Precision;
import dev.lmm.Score;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What docs/ko/getting-started.md shows. */
class KoreanGettingStartedPageTest {
  @BeforeAll
  static void prepare() {
    TinyHub.prepare();
  }

  @Test
  void draws() throws IOException {
    try (LeftFiles files = new LeftFiles()) {
      Path drawn = files.written("target/원.png");
      try (Generator painter = Models.generator("tiny-sd").load()) {
        painter
            .generate("파란 배경의 빨간 원")
            .steps(20)
            .seed(7)
            .run()
            .get(0)
            .save(Path.of("target", "원.png"));
      }
      LeftFiles.isPicture(drawn);
    }
  }

  @Test
  void ranksAndTalks() throws IOException {
    try (LeftFiles files = new LeftFiles()) {
      Path photo = files.picture("사진 1.png");
      String best =
          ExamplesTest.output(
              () -> {
                try (Encoder siglip = Models.encoder("google/siglip2-base-patch16-224").load()) {
                  List<Score> scores =
                      siglip.rank(Image.read(photo), List.of("고양이 사진", "강아지 사진", "자전거 사진"));
                  System.out.println(Score.best(scores).text());
                }
              });
      assertThat(best.strip()).endsWith("사진");
      String answers =
          ExamplesTest.output(
              () -> {
                try (Chat qwen =
                        Models.chat("Qwen/Qwen2.5-VL-3B-Instruct")
                            .precision(Precision.INT4)
                            .load();
                    Conversation talk = qwen.conversation()) {
                  System.out.println(
                      talk.ask("이 사진에 무엇이 보이나요?").image(Image.read(photo)).run().text());
                  System.out.println(talk.ask("그중 노란색은 무엇인가요?").run().text());
                }
              });
      assertThat(answers.lines()).hasSizeGreaterThanOrEqualTo(2);
    }
  }
}
