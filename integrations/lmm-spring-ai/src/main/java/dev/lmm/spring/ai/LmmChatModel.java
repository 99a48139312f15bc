package dev.lmm.spring.ai;

import dev.lmm.Answer;
import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.Chat;
import dev.lmm.ChatRequest;
import dev.lmm.Check;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.TokenStream;
import java.net.URI;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;
import reactor.core.scheduler.Schedulers;

/**
 * Talks about pictures: Qwen2.5-VL. Pictures of a message stand before its words. An output schema
 * ({@link StructuredOutputChatOptions}) is always kept to. Tools, other models' names and penalties
 * are refused, for they would be passed over. Thread-safe. Closing it frees the conversations it
 * keeps, not the {@link Chat}.
 */
public final class LmmChatModel implements ChatModel, AutoCloseable {
  /** Conversations kept if nothing else is said. */
  private static final int KEPT = 4;

  private final Chat chat;
  private final Talks talks;

  /**
   * The model of a chat. Pictures are given as bytes, {@code file:} or {@code data:}; nothing is
   * fetched. Four conversations are kept.
   *
   * @param chat stays the caller's to close
   */
  public LmmChatModel(Chat chat) {
    this(chat, Pictures.LOCAL, KEPT);
  }

  /**
   * The model of a chat.
   *
   * @param chat stays the caller's to close
   * @param imageLoader reads pictures that are given by address
   * @param keptConversations how many are kept, so that one that goes on reads only what is new; at
   *     least 0
   */
  public LmmChatModel(Chat chat, Function<URI, Image> imageLoader, int keptConversations) {
    this.chat = Check.notNull(chat, "chat");
    this.talks = new Talks(chat, Check.notNull(imageLoader, "imageLoader"), keptConversations);
  }

  @Override
  public ChatResponse call(Prompt prompt) {
    check(prompt.getOptions());
    Talks.Asked asked = talks.ask(prompt.getInstructions());
    Answer answer;
    try {
      answer = with(asked.request(), prompt.getOptions()).run();
    } catch (RuntimeException | Error e) {
      asked.conversation().close();
      throw e;
    }
    talks.over(asked, answer.text());
    return response(UUID.randomUUID().toString(), answer.text(), answer);
  }

  /**
   * The answer token by token; the last response has no text, but the finish reason and the usage.
   * It is written on a thread of Reactor's for blocking work; cancelling the subscription ends it.
   */
  @Override
  public Flux<ChatResponse> stream(Prompt prompt) {
    check(prompt.getOptions());
    return Flux.<ChatResponse>create(sink -> answer(prompt, sink))
        .subscribeOn(Schedulers.boundedElastic(), false);
  }

  private void answer(Prompt prompt, FluxSink<ChatResponse> sink) {
    Cancellation cancellation = new Cancellation();
    sink.onDispose(cancellation::cancel);
    Talks.Asked asked;
    try {
      asked = talks.ask(prompt.getInstructions());
    } catch (RuntimeException | Error e) {
      sink.error(e);
      return;
    }
    String id = UUID.randomUUID().toString();
    Answer answer;
    try (TokenStream words =
        with(asked.request(), prompt.getOptions()).cancelledBy(cancellation).stream()) {
      while (words.hasNext()) {
        String text = words.next().text();
        if (!text.isEmpty()) {
          sink.next(response(id, text, null));
        }
      }
      answer = words.answer();
    } catch (RuntimeException | Error e) {
      asked.conversation().close();
      if (!(e instanceof CancelledException && sink.isCancelled())) {
        sink.error(e);
      }
      return;
    }
    talks.over(asked, answer.text());
    sink.next(response(id, "", answer));
    sink.complete();
  }

  /** None but that there may be a schema. The model need not be loaded yet, and is not named. */
  @Override
  public ChatOptions getOptions() {
    return StructuredOutputChatOptions.builder().build();
  }

  /** Refuses what would otherwise be passed over. */
  private void check(@Nullable ChatOptions options) {
    if (options == null) {
      return;
    }
    if (options.getModel() != null) {
      String name = chat.info().id();
      refuse(
          !options.getModel().equals(name),
          "model " + options.getModel() + " (this model is " + name + ")");
    }
    refuse(options.getFrequencyPenalty() != null, "frequencyPenalty");
    refuse(options.getPresencePenalty() != null, "presencePenalty");
    refuse(
        options instanceof ToolCallingChatOptions tools && !tools.getToolCallbacks().isEmpty(),
        "toolCallbacks: use of tools");
  }

  private static void refuse(boolean asked, String what) {
    if (asked) {
      throw new InvalidRequestException(what + " is not supported by this model");
    }
  }

  private static ChatRequest with(ChatRequest request, @Nullable ChatOptions options) {
    ChatRequest all = request;
    if (options == null) {
      return all;
    }
    if (options.getMaxTokens() != null) {
      all = all.maxTokens(options.getMaxTokens());
    }
    if (options.getTemperature() != null) {
      all = all.temperature(options.getTemperature());
    }
    if (options.getTopP() != null) {
      all = all.topP(options.getTopP());
    }
    if (options.getTopK() != null) {
      all = all.topK(options.getTopK());
    }
    List<String> stop = options.getStopSequences();
    if (stop != null && !stop.isEmpty()) {
      all = all.stop(stop.toArray(String[]::new));
    }
    if (options instanceof StructuredOutputChatOptions structured
        && structured.getOutputSchema() != null) {
      all = all.json(structured.getOutputSchema());
    }
    return all;
  }

  /**
   * A response.
   *
   * @param answer how it ended; null while it goes on
   */
  private ChatResponse response(String id, String text, @Nullable Answer answer) {
    ChatResponseMetadata.Builder about =
        ChatResponseMetadata.builder().id(id).model(chat.info().id());
    ChatGenerationMetadata end = ChatGenerationMetadata.NULL;
    if (answer != null) {
      about.usage(new DefaultUsage(answer.promptTokens(), answer.tokens().size()));
      end = ChatGenerationMetadata.builder().finishReason(finish(answer.end())).build();
    }
    return new ChatResponse(
        List.of(new Generation(new AssistantMessage(text), end)), about.build());
  }

  private static String finish(Answer.End end) {
    return switch (end) {
      case COMPLETE, STOP, FORM -> "STOP";
      case LENGTH -> "LENGTH";
      case UNFINISHED -> "OTHER";
    };
  }

  /** Frees the conversations that are kept. */
  @Override
  public void close() {
    talks.close();
  }
}
