package dev.lmm.examples;

import dev.lmm.Chat;
import dev.lmm.ChatRequest;
import dev.lmm.Conversation;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.TokenStream;
import java.nio.file.Path;

/** Talks about a picture: words arrive as they are found, and later questions build on earlier. */
public final class Talk {
  private Talk() {}

  /**
   * Prints an answer to each question.
   *
   * @param arguments model, picture, questions
   */
  public static void main(String[] arguments) {
    Image photo = Image.read(Path.of(arguments[1]));
    try (Chat chat = Models.chat(arguments[0]).load();
        Conversation talk = chat.conversation()) {
      for (int i = 2; i < arguments.length; i++) {
        ChatRequest question = talk.ask(arguments[i]).maxTokens(60);
        try (TokenStream words = (i == 2 ? question.image(photo) : question).stream()) {
          words.forEachRemaining(piece -> System.out.print(piece.text()));
        }
        System.out.println();
      }
    }
  }
}
