package dev.lmm.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.AudioContent;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.listener.ChatModelErrorContext;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.listener.ChatModelRequestContext;
import dev.langchain4j.model.chat.listener.ChatModelResponseContext;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import dev.lmm.Image;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Both chat models, asked what LangChain4j's own tests ask of every model. */
class ChatModelsTest {
  /** The two interfaces. */
  enum Kind {
    WHOLE,
    STREAMED
  }

  private static final ResponseFormat CITY =
      ResponseFormat.builder()
          .type(ResponseFormatType.JSON)
          .jsonSchema(
              JsonSchema.builder()
                  .name("Answer")
                  .rootElement(
                      JsonObjectSchema.builder().addStringProperty("city").required("city").build())
                  .build())
          .build();

  @TempDir Path folder;
  private final ScriptedChat chat = new ScriptedChat();

  /** What came of a request. */
  private record Heard(ChatResponse response, List<String> parts, List<Thread> threads) {}

  private Heard ask(Kind kind, ChatRequest request, Consumer<ChatOptions<?>> options) {
    if (kind == Kind.WHOLE) {
      LmmChatModel.Builder builder = LmmChatModel.builder(chat);
      options.accept(builder);
      return new Heard(builder.build().chat(request), List.of(), List.of());
    }
    LmmStreamingChatModel.Builder builder = LmmStreamingChatModel.builder(chat);
    options.accept(builder);
    return stream(builder.build(), request);
  }

  private static Heard stream(LmmStreamingChatModel model, ChatRequest request) {
    CompletableFuture<ChatResponse> response = new CompletableFuture<>();
    List<String> parts = new CopyOnWriteArrayList<>();
    List<Thread> threads = new CopyOnWriteArrayList<>();
    model.chat(
        request,
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(String part) {
            parts.add(part);
            threads.add(Thread.currentThread());
          }

          @Override
          public void onCompleteResponse(ChatResponse complete) {
            threads.add(Thread.currentThread());
            response.complete(complete);
          }

          @Override
          public void onError(Throwable error) {
            response.completeExceptionally(error);
          }
        });
    try {
      return new Heard(response.get(20, TimeUnit.SECONDS), parts, threads);
    } catch (java.util.concurrent.ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new AssertionError(e);
    } catch (InterruptedException | java.util.concurrent.TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  private Heard ask(Kind kind, ChatRequest request) {
    return ask(kind, request, options -> {});
  }

  private static ChatRequest.Builder request(ChatMessage... messages) {
    return ChatRequest.builder().messages(messages);
  }

  @ParameterizedTest
  @EnumSource
  void answersWithAllThatLangChain4jWantsToKnow(Kind kind) {
    Heard heard = ask(kind, request(UserMessage.from("What is the capital of Germany?")).build());
    ChatResponse response = heard.response();
    assertThat(response.aiMessage().text()).isEqualTo("It is Berlin.");
    assertThat(response.aiMessage().toolExecutionRequests()).isEmpty();
    assertThat(response.metadata().id()).isNotBlank();
    assertThat(response.metadata().modelName()).isEqualTo("scripted");
    assertThat(response.metadata().finishReason()).isEqualTo(FinishReason.STOP);
    assertThat(response.metadata().tokenUsage().inputTokenCount()).isPositive();
    assertThat(response.metadata().tokenUsage().outputTokenCount()).isEqualTo(3);
    assertThat(response.metadata().tokenUsage().totalTokenCount())
        .isEqualTo(3 + response.metadata().tokenUsage().inputTokenCount());
    if (kind == Kind.STREAMED) {
      assertThat(heard.parts()).containsExactly("It", " is", " Berlin.");
      assertThat(heard.threads()).doesNotContain(Thread.currentThread());
      assertThat(heard.threads().stream().distinct()).hasSize(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void systemMessagesAreHeard(Kind kind) {
    assertThat(
            ask(
                    kind,
                    request(
                            SystemMessage.from("Translate messages from user into German"),
                            UserMessage.from("Translate: 'I love you'"))
                        .build())
                .response()
                .aiMessage()
                .text())
        .contains("liebe");
  }

  @ParameterizedTest
  @EnumSource
  void parametersAreTakenFromRequestAndDefaults(Kind kind) {
    ChatRequestParameters five = ChatRequestParameters.builder().maxOutputTokens(5).build();
    ChatRequest story = request(UserMessage.from("Tell me a long story")).build();
    for (Heard heard :
        List.of(
            ask(kind, story.toBuilder().parameters(five).build()),
            ask(kind, story, options -> options.defaultRequestParameters(five)))) {
      assertThat(heard.response().aiMessage().text()).isEqualTo("Once upon a time there");
      assertThat(heard.response().metadata().finishReason()).isEqualTo(FinishReason.LENGTH);
      assertThat(heard.response().metadata().tokenUsage().outputTokenCount()).isEqualTo(5);
    }
    ask(
        kind,
        story.toBuilder()
            .parameters(ChatRequestParameters.builder().temperature(0.5).topP(0.75).topK(9).build())
            .build());
    dev.lmm.ChatRequest last = chat.requests.get(chat.requests.size() - 1);
    assertThat(last.temperature()).isEqualTo(0.5);
    assertThat(last.topP()).isEqualTo(0.75);
    assertThat(last.topK()).isEqualTo(9);
    assertThat(
            ask(
                    kind,
                    request(UserMessage.from("Say 'Hello World'"))
                        .parameters(
                            ChatRequestParameters.builder()
                                .stopSequences("World", " World")
                                .build())
                        .build())
                .response()
                .aiMessage()
                .text())
        .isEqualTo("Hello");
  }

  @ParameterizedTest
  @EnumSource
  void answersKeepToASchema(Kind kind) {
    ChatRequest request =
        request(UserMessage.from("What is the capital of Germany?"))
            .parameters(ChatRequestParameters.builder().responseFormat(CITY).build())
            .build();
    assertThat(ask(kind, request).response().aiMessage().text())
        .isEqualTo("{\"city\": \"Berlin\"}");
    assertThat(chat.requests.get(0).jsonSchema())
        .contains("\"type\"", "\"properties\"", "\"city\"", "\"required\"");
  }

  static Stream<Arguments> refused() {
    ToolSpecification tool = ToolSpecification.builder().name("getWeather").build();
    return Stream.of(
            Arguments.of("tool", ChatRequestParameters.builder().toolSpecifications(tool).build()),
            Arguments.of(
                "ToolChoice.REQUIRED",
                ChatRequestParameters.builder()
                    .toolSpecifications(tool)
                    .toolChoice(ToolChoice.REQUIRED)
                    .build()),
            Arguments.of(
                "JSON response format",
                ChatRequestParameters.builder().responseFormat(ResponseFormat.JSON).build()),
            Arguments.of("modelName", ChatRequestParameters.builder().modelName("dummy").build()),
            Arguments.of(
                "frequencyPenalty", ChatRequestParameters.builder().frequencyPenalty(1.0).build()),
            Arguments.of(
                "presencePenalty", ChatRequestParameters.builder().presencePenalty(1.0).build()))
        .flatMap(
            each ->
                Stream.of(Kind.values())
                    .map(kind -> Arguments.of(kind, each.get()[0], each.get()[1])));
  }

  @ParameterizedTest
  @MethodSource
  void refused(Kind kind, String what, ChatRequestParameters parameters) {
    ChatRequest request =
        request(UserMessage.from("Tell me a story")).parameters(parameters).build();
    assertThatThrownBy(() -> ask(kind, request))
        .isExactlyInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining(what)
        .hasMessageContaining("not support");
    assertThatThrownBy(
            () ->
                ask(
                    kind,
                    request(UserMessage.from("a")).build(),
                    options -> options.defaultRequestParameters(parameters)))
        .isExactlyInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining(what);
    assertThat(chat.requests).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void picturesAreSeenAsBytesAndByAddress(Kind kind) throws Exception {
    byte[] cat = png(ScriptedChat.CAT_WIDTH);
    byte[] dice = png(ScriptedChat.DICE_WIDTH);
    Path file = folder.resolve("한글 dice.png");
    Files.write(file, dice);
    String base64 = Base64.getEncoder().encodeToString(cat);
    for (ImageContent first :
        List.of(
            ImageContent.from(base64, "image/png"),
            ImageContent.from("data:image/png;base64," + base64))) {
      assertThat(
              ask(
                      kind,
                      request(
                              UserMessage.from(
                                  TextContent.from("What do you see?"),
                                  first,
                                  ImageContent.from(file.toUri())))
                          .build())
                  .response()
                  .aiMessage()
                  .text())
          .isEqualTo("I see a cat and a dice");
    }
    ChatRequest far =
        request(
                UserMessage.from(
                    TextContent.from("What do you see?"),
                    ImageContent.from("https://example.com/a.png")))
            .build();
    assertThatThrownBy(() -> ask(kind, far))
        .isExactlyInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("https://example.com/a.png is not fetched")
        .hasMessageContaining("imageLoader");
    assertThat(
            ask(kind, far, options -> options.imageLoader(address -> Image.read(cat)))
                .response()
                .aiMessage()
                .text())
        .isEqualTo("I see a cat");
    assertThatThrownBy(
            () ->
                ask(
                    kind,
                    request(
                            UserMessage.from(
                                TextContent.from("What do you see?"),
                                ImageContent.from("bm90IGEgcGljdHVyZQ==", "image/png")))
                        .build()))
        .isInstanceOf(InvalidRequestException.class);
  }

  @ParameterizedTest
  @EnumSource
  void whatIsNoQuestionIsRefused(Kind kind) {
    assertThatThrownBy(() -> ask(kind, request(SystemMessage.from("Be kind")).build()))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("nothing to answer");
    assertThatThrownBy(
            () ->
                ask(
                    kind,
                    request(UserMessage.from(AudioContent.from("https://example.com/a.mp3")))
                        .build()))
        .isExactlyInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("AUDIO");
    assertThat(chat.open).isEmpty();
  }

  @Test
  void aConversationThatGoesOnIsKeptAndOneThatIsNewIsTakenOver() {
    LmmChatModel model = LmmChatModel.builder(chat).keptConversations(1).build();
    UserMessage first = UserMessage.from("What is the capital of Germany?");
    AiMessage answer = model.chat(first).aiMessage();
    assertThat(chat.open).hasSize(1);
    Object kept = chat.open.get(0);
    model.chat(first, answer, UserMessage.from("And a story?"));
    assertThat(chat.open).containsExactly((dev.lmm.Conversation) kept);
    assertThat(chat.asked.get(1))
        .extracting(dev.lmm.Conversation.Turn::text)
        .containsExactly("What is the capital of Germany?", "It is Berlin.");
    // Somebody remembers another answer than the one that was given.
    model.chat(
        SystemMessage.from("Be brief"),
        first,
        AiMessage.from("Bonn"),
        UserMessage.from("Really?"),
        UserMessage.from("Sure?"));
    assertThat(chat.asked.get(2))
        .extracting(dev.lmm.Conversation.Turn::text)
        .containsExactly("Be brief", "What is the capital of Germany?", "Bonn");
    assertThat(chat.requests.get(2).text()).isEqualTo("Really?\nSure?");
    assertThat(chat.open).as("one is kept").hasSize(1).doesNotContain((dev.lmm.Conversation) kept);
    model.close();
    assertThat(chat.open).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void listenersHearRequestResponseAndError(Kind kind) {
    List<String> heard = new ArrayList<>();
    ChatModelListener listener =
        new ChatModelListener() {
          @Override
          public void onRequest(ChatModelRequestContext context) {
            heard.add("request " + context.chatRequest().parameters().modelName());
            context.attributes().put("id", "12345");
          }

          @Override
          public void onResponse(ChatModelResponseContext context) {
            heard.add("response " + context.attributes().get("id"));
          }

          @Override
          public void onError(ChatModelErrorContext context) {
            heard.add("error " + context.error().getMessage());
          }
        };
    ask(
        kind,
        request(UserMessage.from("hello")).build(),
        options -> options.listeners(List.of(listener)));
    assertThat(heard).containsExactly("request scripted", "response 12345");
    heard.clear();
    assertThatThrownBy(
            () ->
                ask(
                    kind,
                    request(UserMessage.from("this will fail")).build(),
                    options -> options.listeners(List.of(listener))))
        .hasMessage("The script says: fail");
    assertThat(heard).containsExactly("request scripted", "error The script says: fail");
    assertThat(chat.open).as("the one before is kept, the failed one is not").hasSize(1);
  }

  @Test
  void aStreamIsCancelledByItsHandleAndSurvivesAHandlerThatThrows() throws Exception {
    List<String> parts = new CopyOnWriteArrayList<>();
    CompletableFuture<String> end = new CompletableFuture<>();
    List<Runnable> work = new ArrayList<>();
    LmmStreamingChatModel model = LmmStreamingChatModel.builder(chat).executor(work::add).build();
    model.chat(
        request(UserMessage.from("Tell me a long story")).build(),
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(PartialResponse part, PartialResponseContext context) {
            parts.add(part.text());
            if (parts.size() == 2) {
              context.streamingHandle().cancel();
            }
          }

          @Override
          public void onCompleteResponse(ChatResponse complete) {
            end.complete("complete");
          }

          @Override
          public void onError(Throwable error) {
            end.complete("error " + error);
          }
        });
    assertThat(parts).as("nothing runs but on the executor").isEmpty();
    work.forEach(Runnable::run);
    assertThat(parts).containsExactly("Once", " upon");
    assertThat(end).isNotDone();
    assertThat(chat.open).isEmpty();

    List<Throwable> errors = new ArrayList<>();
    work.clear();
    model.chat(
        request(UserMessage.from("What is the capital of Germany?")).build(),
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(String part) {
            throw new IllegalStateException(part);
          }

          @Override
          public void onCompleteResponse(ChatResponse complete) {
            end.complete(complete.aiMessage().text());
          }

          @Override
          public void onError(Throwable error) {
            errors.add(error);
          }
        });
    work.forEach(Runnable::run);
    assertThat(end.get(1, TimeUnit.SECONDS)).isEqualTo("It is Berlin.");
    assertThat(errors).extracting(Throwable::getMessage).containsExactly("It", " is", " Berlin.");
  }

  private byte[] png(int width) throws Exception {
    Path file = folder.resolve(width + ".png");
    Image.ofRgb(width, 3, new byte[width * 9]).save(file);
    return Files.readAllBytes(file);
  }
}
