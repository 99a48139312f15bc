package dev.lmm.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.lmm.Answer;
import dev.lmm.Chat;
import java.util.List;
import java.util.Set;

/**
 * Talks about pictures: Qwen2.5-VL. Pictures of a message stand before its words. Tools, other
 * models' names and penalties are refused, for they would be passed over. Thread-safe. Closing it
 * frees the conversations it keeps, not the {@link Chat}.
 */
public final class LmmChatModel implements ChatModel, AutoCloseable {
  private final String name;
  private final ChatRequestParameters parameters;
  private final List<ChatModelListener> listeners;
  private final Talks talks;

  private LmmChatModel(Builder builder) {
    this.name = builder.chat.info().id();
    this.parameters = ChatSupport.defaults(name, builder.parameters);
    this.listeners = builder.listeners;
    this.talks = new Talks(builder.chat, builder.imageLoader, builder.kept);
  }

  /**
   * The model of a chat.
   *
   * @param chat stays the caller's to close
   * @return the model
   */
  public static LmmChatModel of(Chat chat) {
    return builder(chat).build();
  }

  /**
   * Begins a model with options.
   *
   * @param chat stays the caller's to close
   * @return the options
   */
  public static Builder builder(Chat chat) {
    return new Builder(chat);
  }

  /** Options of a model. */
  public static final class Builder extends ChatOptions<Builder> {
    private Builder(Chat chat) {
      super(chat);
    }

    @Override
    Builder self() {
      return this;
    }

    /**
     * The model.
     *
     * @return with these options
     */
    public LmmChatModel build() {
      return new LmmChatModel(this);
    }
  }

  @Override
  public ChatResponse doChat(ChatRequest request) {
    ChatSupport.check(name, request.parameters());
    Talks.Asked asked = talks.ask(request.messages());
    Answer answer;
    try {
      answer = ChatSupport.with(asked.request(), request.parameters()).run();
    } catch (RuntimeException | Error e) {
      asked.conversation().close();
      throw e;
    }
    ChatResponse response = ChatSupport.response(name, answer);
    talks.over(asked, response.aiMessage());
    return response;
  }

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return parameters;
  }

  @Override
  public List<ChatModelListener> listeners() {
    return listeners;
  }

  @Override
  public Set<Capability> supportedCapabilities() {
    return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
  }

  @Override
  public void close() {
    talks.close();
  }
}
