package dev.lmm;

import org.jspecify.annotations.Nullable;

/**
 * Talks about pictures and videos. Thread-safe; several conversations may go on at once. Close it
 * when done; closing twice is harmless, and using it afterwards throws {@link ClosedException}.
 *
 * <pre>{@code
 * try (Chat qwen = Models.chat("Qwen/Qwen2.5-VL-3B-Instruct").load();
 *     Conversation talk = qwen.conversation()) {
 *   Answer first = talk.ask("What is the person holding?").image(photo).run();
 *   Answer second = talk.ask("And what colour is it?").run(); // the photo is not read again
 * }
 * }</pre>
 */
public interface Chat extends AutoCloseable {
  /**
   * What was loaded.
   *
   * @return id, type, engine, device, precision
   */
  ModelInfo info();

  /**
   * Its layers and parameters.
   *
   * @return the summary
   */
  Summary summary();

  /**
   * Begins a conversation.
   *
   * @param system what the model is told about its part; null for what the checkpoint's template
   *     says
   * @return the conversation, to be closed
   */
  Conversation conversation(@Nullable String system);

  /**
   * Begins a conversation as the checkpoint's template does.
   *
   * @return the conversation, to be closed
   */
  default Conversation conversation() {
    return conversation(null);
  }

  /**
   * Begins a single question, without a conversation around it.
   *
   * @param text the question; the names of control tokens in it are plain text
   * @return the request, to be run
   * @throws InvalidRequestException if the text is blank
   */
  ChatRequest ask(String text);

  /**
   * Begins several questions, answered side by side: faster than one by one, for the model's
   * weights are read once for all.
   *
   * @return the request, to be given questions and run
   */
  AnswersRequest answers();

  @Override
  void close();
}
