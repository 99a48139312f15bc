package dev.lmm.langchain4j;

import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import dev.lmm.Chat;
import dev.lmm.Check;
import dev.lmm.Image;
import java.net.URI;
import java.util.List;
import java.util.function.Function;

/**
 * Options that both models of a chat have.
 *
 * @param <B> the builder itself
 */
abstract class ChatOptions<B extends ChatOptions<B>> {
  /** Conversations kept if nothing else is said. */
  static final int KEPT = 4;

  final Chat chat;
  ChatRequestParameters parameters = DefaultChatRequestParameters.EMPTY;
  List<ChatModelListener> listeners = List.of();
  Function<URI, Image> imageLoader = Pictures.LOCAL;
  int kept = KEPT;

  ChatOptions(Chat chat) {
    this.chat = Check.notNull(chat, "chat");
  }

  abstract B self();

  /**
   * Parameters of requests that do not set their own: {@code maxOutputTokens}, {@code temperature},
   * {@code topP}, {@code topK}, {@code stopSequences}, {@code responseFormat} with a schema, which
   * the answer then keeps to. None by default.
   *
   * @param value the parameters
   * @return this
   */
  public B defaultRequestParameters(ChatRequestParameters value) {
    this.parameters = Check.notNull(value, "defaultRequestParameters");
    return self();
  }

  /**
   * Who hears of requests and responses; nobody by default.
   *
   * @param value the listeners
   * @return this
   */
  public B listeners(List<ChatModelListener> value) {
    this.listeners = List.copyOf(value);
    return self();
  }

  /**
   * Reads pictures that are given by address. By default {@code file:} and {@code data:} are read
   * and nothing is fetched.
   *
   * @param value reads an address
   * @return this
   */
  public B imageLoader(Function<URI, Image> value) {
    this.imageLoader = Check.notNull(value, "imageLoader");
    return self();
  }

  /**
   * How many conversations are kept, so that one that goes on reads only what is new; 4 by default.
   *
   * @param value at least 0
   * @return this
   */
  public B keptConversations(int value) {
    Check.that(value >= 0, "keptConversations: is " + value + "; expected at least 0");
    this.kept = value;
    return self();
  }
}
