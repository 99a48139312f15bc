package dev.lmm.examples;

import dev.lmm.Answer;
import dev.lmm.Chat;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Video;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One question about 1, 2, 4 and 8 frames of a video: what more tell, and what they cost. */
public final class HowManyFrames {
  private HowManyFrames() {}

  /**
   * Writes a page.
   *
   * @param arguments model, video (a file, or a folder of frames taken twice a second), folder of
   *     the page, question
   */
  public static void main(String[] arguments) {
    Path source = Path.of(arguments[1]);
    Page page = new Page(Path.of(arguments[2]), "One video, 1 to 8 frames of it");
    page.text(arguments[0] + ": " + arguments[3]);
    List<Object[]> rows = new ArrayList<>();
    try (Chat chat = Models.chat(arguments[0]).load()) {
      for (int count : List.of(1, 2, 4, 8)) {
        Video some = frames(source, count);
        List<Image> shown = some.frames();
        page.text("Frames: " + shown.size());
        for (int i = 0; i < shown.size(); i++) {
          String caption = Page.number(some.seconds().get(i)) + " s";
          page.picture(shown.get(i), "frames-" + count + "-" + i + ".png", caption);
        }
        Timed timed = Timed.of(chat.ask(arguments[3]).video(some).maxTokens(128));
        Answer answer = timed.answer();
        Object[] cost = {answer.promptTokens(), timed.firstToken(), timed.seconds()};
        rows.add(new Object[] {shown.size(), answer.text(), cost[0], cost[1], cost[2]});
      }
    }
    page.table("frames", "answer", "prompt tokens", "seconds to first token", "seconds");
    rows.forEach(page::row);
    page.endTable().write();
  }

  /** So many, or all if there are fewer. Of a file only these are decoded. */
  private static Video frames(Path source, int count) {
    if (Files.isDirectory(source)) {
      Video all = Video.read(source, 2);
      return all.frames(Math.min(count, all.frames().size()));
    }
    var file = Video.open(source);
    return file.frames(Math.min(count, file.frameCount()));
  }
}
