package dev.lmm.examples;

import dev.lmm.Chat;
import dev.lmm.Encoder;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Score;
import java.nio.file.Path;
import java.util.List;

/** The three lines of the README for each kind of model: published checkpoints by their hub ids. */
public final class FirstSteps {
  private FirstSteps() {}

  /**
   * Does one of three things. Each downloads its checkpoint once: 600 MB, 5 GB, 8 GB.
   *
   * @param arguments {@code rank} or {@code ask} and a photograph, or {@code generate}
   */
  public static void main(String[] arguments) {
    switch (arguments[0]) {
      case "rank" -> rank(Path.of(arguments[1]));
      case "ask" -> ask(Path.of(arguments[1]));
      case "generate" -> generate();
      default -> throw new IllegalArgumentException("rank, ask or generate, not " + arguments[0]);
    }
  }

  private static void rank(Path photo) {
    try (Encoder clip = Models.encoder("openai/clip-vit-base-patch32").load()) {
      List<Score> scores = clip.rank(Image.read(photo), List.of("a photo of a cat", "고양이 사진"));
      System.out.println(Score.best(scores).text());
    }
  }

  private static void generate() {
    try (Generator sd = Models.generator("stable-diffusion-v1-5/stable-diffusion-v1-5").load()) {
      sd.generate("a lighthouse at dusk")
          .steps(25)
          .seed(42)
          .run()
          .get(0)
          .save(Path.of("lighthouse.png"));
    }
  }

  private static void ask(Path photo) {
    try (Chat qwen = Models.chat("Qwen/Qwen2.5-VL-3B-Instruct").load()) {
      System.out.println(
          qwen.ask("What is the person holding?").image(Image.read(photo)).run().text());
    }
  }
}
