package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Answer;
import dev.lmm.Chat;
import dev.lmm.Conversation;
import dev.lmm.Grounder;
import dev.lmm.Image;
import dev.lmm.Located;
import dev.lmm.Models;
import dev.lmm.Region;
import dev.lmm.TokenStream;
import dev.lmm.Tracked;
import dev.lmm.Video;
import dev.lmm.tiny.TinyPictures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/qwen2.5-vl.md shows. */
class QwenPageTest {
  private final Image photo = TinyPictures.scenes().get(1).image();

  @BeforeAll
  static void prepare() {
    TinyHub.prepare();
  }

  @Test
  void talksAboutAPhoto() throws IOException {
    String printed =
        ExamplesTest.output(
            () -> {
              try (Chat qwen = Models.chat("Qwen/Qwen2.5-VL-3B-Instruct").load();
                  Conversation talk = qwen.conversation()) {
                Answer first = talk.ask("What is the person holding?").image(photo).run();
                System.out.println(first.text());
                try (TokenStream words =
                    talk.ask("And what colour is it?").stream()) { // the photo is not read again
                  words.forEachRemaining(piece -> System.out.print(piece.text()));
                }
              }
            });
    assertThat(printed.lines()).hasSizeGreaterThanOrEqualTo(2);
  }

  @Test
  void answersSeveralQuestions() {
    Image first = photo;
    Image second = TinyPictures.scenes().get(2).image();
    try (Chat qwen = Models.chat("tiny-qwen2.5-vl").load()) {
      List<Answer> answers =
          qwen.answers()
              .ask("What is in this picture?", each -> each.image(first))
              .ask("이 사진에 무엇이 있어요?", each -> each.image(second).maxTokens(30))
              .run();
      assertThat(answers).hasSize(2).noneMatch(answer -> answer.text().isBlank());
    }
  }

  @Test
  void findsAndDraws() throws IOException {
    try (LeftFiles files = new LeftFiles()) {
      Path drawn = files.written("people.png");
      try (Grounder qwen = Models.grounder("Qwen/Qwen2.5-VL-7B-Instruct").load()) {
        Located people = qwen.locate(photo, "Locate every person.").run();
        for (Region person : people.regions()) {
          System.out.println(person.label() + " " + person.box() + " " + person.confidence());
        }
        people.draw(photo).save(Path.of("people.png"));
      }
      LeftFiles.isPicture(drawn);
    }
  }

  @Test
  void tracks(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("clip.gif");
    TinyPictures.clip().save(file);
    try (LeftFiles files = new LeftFiles();
        Grounder qwen = Models.grounder("tiny-qwen2.5-vl").load()) {
      Path table = files.written("cars.csv");
      Tracked cars =
          qwen.track(Video.open(file).frames(8), "Locate every car.").interpolated().run();
      Files.writeString(Path.of("cars.csv"), cars.csv());
      assertThat(cars.frames()).hasSize(8);
      assertThat(table).isNotEmptyFile();
    }
  }
}
