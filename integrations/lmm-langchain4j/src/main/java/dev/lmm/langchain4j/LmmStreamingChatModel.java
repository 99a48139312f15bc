package dev.lmm.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.Chat;
import dev.lmm.Check;
import dev.lmm.TokenStream;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * Talks about pictures, token by token, on a thread of its own: {@link LmmChatModel} otherwise.
 * Cancelling a response's handle ends it: nothing more is told.
 */
public final class LmmStreamingChatModel implements StreamingChatModel, AutoCloseable {
  private static final Executor DAEMONS =
      work -> {
        Thread thread = new Thread(work, "lmm-chat");
        thread.setDaemon(true);
        thread.start();
      };

  private final String name;
  private final ChatRequestParameters parameters;
  private final List<ChatModelListener> listeners;
  private final Talks talks;
  private final Executor executor;

  private LmmStreamingChatModel(Builder builder) {
    this.name = builder.chat.info().id();
    this.parameters = ChatSupport.defaults(name, builder.parameters);
    this.listeners = builder.listeners;
    this.talks = new Talks(builder.chat, builder.imageLoader, builder.kept);
    this.executor = builder.executor;
  }

  /**
   * The model of a chat.
   *
   * @param chat stays the caller's to close
   * @return the model
   */
  public static LmmStreamingChatModel of(Chat chat) {
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
    private Executor executor = DAEMONS;

    private Builder(Chat chat) {
      super(chat);
    }

    @Override
    Builder self() {
      return this;
    }

    /**
     * Runs answers; a daemon thread for each by default.
     *
     * @param value the executor
     * @return this
     */
    public Builder executor(Executor value) {
      this.executor = Check.notNull(value, "executor");
      return this;
    }

    /**
     * The model.
     *
     * @return with these options
     */
    public LmmStreamingChatModel build() {
      return new LmmStreamingChatModel(this);
    }
  }

  @Override
  public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
    ChatSupport.check(name, request.parameters());
    // What cannot be served is refused at once, as LangChain4j wants it.
    Talks.Asked asked = talks.ask(request.messages());
    try {
      executor.execute(() -> answer(request, asked, handler));
    } catch (RuntimeException | Error e) {
      asked.conversation().close();
      throw e;
    }
  }

  private void answer(
      ChatRequest request, Talks.Asked asked, StreamingChatResponseHandler handler) {
    Handle handle = new Handle();
    ChatResponse response;
    try (TokenStream words =
        ChatSupport.with(asked.request(), request.parameters())
            .cancelledBy(handle.cancellation)
            .stream()) {
      PartialResponseContext context = new PartialResponseContext(handle);
      while (words.hasNext()) {
        String text = words.next().text();
        if (!text.isEmpty()) {
          tell(handler, () -> handler.onPartialResponse(new PartialResponse(text), context));
        }
      }
      response = ChatSupport.response(name, words.answer());
    } catch (RuntimeException | Error e) {
      asked.conversation().close();
      if (!(e instanceof CancelledException && handle.isCancelled())) {
        tell(handler, () -> handler.onError(e));
      }
      return;
    }
    talks.over(asked, response.aiMessage());
    tell(handler, () -> handler.onCompleteResponse(response));
  }

  /** Tells the handler something; what it throws is told to it, and the answer goes on. */
  private static void tell(StreamingChatResponseHandler handler, Runnable what) {
    try {
      what.run();
    } catch (RuntimeException e) {
      handler.onError(e);
    }
  }

  private static final class Handle implements StreamingHandle {
    private final Cancellation cancellation = new Cancellation();

    @Override
    public void cancel() {
      cancellation.cancel();
    }

    @Override
    public boolean isCancelled() {
      return cancellation.isCancelled();
    }
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
