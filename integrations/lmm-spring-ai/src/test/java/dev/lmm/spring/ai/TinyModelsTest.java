package dev.lmm.spring.ai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Answer;
import dev.lmm.Chat;
import dev.lmm.Conversation;
import dev.lmm.Encoder;
import dev.lmm.Generator;
import dev.lmm.InvalidRequestException;
import dev.lmm.Models;
import dev.lmm.tiny.TinyPictures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.DocumentEmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResultMetadata.ModalityType;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImageOptionsBuilder;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.util.MimeTypeUtils;
import reactor.core.Disposable;

/** The adapters over real models: what they give is what the roles below give. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TinyModelsTest {
  private static final String QUESTION = "What is in the picture?";
  private Chat chat;

  @BeforeAll
  void load() {
    chat = Models.chat("tiny-qwen2.5-vl").load();
  }

  @AfterAll
  void close() {
    chat.close();
  }

  private static Media media(TinyPictures.Captioned picture) {
    return Media.builder()
        .mimeType(MimeTypeUtils.IMAGE_PNG)
        .data(TinyPictures.bytes(picture.file()))
        .build();
  }

  private static UserMessage asks(String text, TinyPictures.Captioned picture) {
    return UserMessage.builder().text(text).media(media(picture)).build();
  }

  @Test
  void textsAndPicturesLieInOneSpace() {
    try (Encoder encoder = Models.encoder("tiny-siglip2").load()) {
      List<TinyPictures.Captioned> pictures = TinyPictures.all().subList(0, 4);
      // Pictures and texts in turn: each must come back in its own place.
      List<Document> documents = new ArrayList<>();
      for (TinyPictures.Captioned picture : pictures) {
        documents.add(new Document(media(picture), Map.of()));
        documents.add(new Document(picture.korean()));
      }
      LmmDocumentEmbeddingModel model = new LmmDocumentEmbeddingModel(encoder);
      EmbeddingResponse response = model.call(new DocumentEmbeddingRequest(documents));
      assertThat(response.getMetadata().getModel()).isEqualTo("tiny-siglip2");
      assertThat(response.getResults()).hasSize(8);
      for (int i = 0; i < 4; i++) {
        var picture = response.getResults().get(2 * i);
        assertThat(picture.getOutput())
            .usingComparatorWithPrecision(1e-6f)
            .containsExactly(encoder.embed(pictures.get(i).image()));
        assertThat(picture.getMetadata().getModalityType()).isEqualTo(ModalityType.IMAGE);
        assertThat(picture.getMetadata().getDocumentId()).isEqualTo(documents.get(2 * i).getId());
        var text = response.getResults().get(2 * i + 1);
        assertThat(text.getOutput())
            .usingComparatorWithPrecision(1e-6f)
            .containsExactly(encoder.embed(pictures.get(i).korean()));
        assertThat(text.getMetadata().getModalityType()).isEqualTo(ModalityType.TEXT);
        assertThat(text.getIndex()).isEqualTo(2 * i + 1);
      }
      LmmEmbeddingModel texts = new LmmEmbeddingModel(encoder);
      assertThat(texts.dimensions()).isEqualTo(model.dimensions()).isEqualTo(encoder.dimension());
      assertThat(texts.embed("별")).isEqualTo(encoder.embed("별"));
      assertThat(texts.embed(documents.get(0))).isEqualTo(encoder.embed(pictures.get(0).image()));
      assertThat(texts.embed(List.of("a star", "a heart"))).hasSize(2);
      for (EmbeddingOptions refused :
          List.of(
              EmbeddingOptions.builder().model("another").build(),
              EmbeddingOptions.builder().dimensions(8).build())) {
        assertThatThrownBy(() -> texts.call(new EmbeddingRequest(List.of("a"), refused)))
            .isInstanceOf(InvalidRequestException.class);
      }
    }
  }

  @Test
  void picturesAreMadeAndMadeAnew() {
    try (Generator generator = Models.generator("tiny-sd").load()) {
      LmmImageModel model = new LmmImageModel(generator, r -> r.steps(3).seed(7));
      String wish = "a red circle on a blue background";
      byte[] png = png(model.call(new ImagePrompt(wish)));
      assertThat(dev.lmm.Image.read(png).rgb())
          .isEqualTo(generator.generate(wish).steps(3).seed(7).run().get(0).image().rgb());
      ImagePrompt two =
          new ImagePrompt(
              List.of(new ImageMessage(wish), new ImageMessage("a star", -1f)),
              ImageOptionsBuilder.builder().n(2).width(64).height(72).build());
      ImageResponse made = model.call(two);
      assertThat(made.getResults()).hasSize(2);
      var expected =
          generator
              .generate(wish)
              .negative("a star")
              .steps(3)
              .seed(7)
              .count(2)
              .size(64, 72)
              .run()
              .get(0);
      assertThat(png(made)).isEqualTo(expected.png());
      Media first = Media.builder().mimeType(MimeTypeUtils.IMAGE_PNG).data(png).build();
      ImageMessage anew = new ImageMessage("a green circle", null, List.of(first), Map.of());
      assertThat(dev.lmm.Image.read(png(model.call(new ImagePrompt(List.of(anew))))).rgb())
          .isEqualTo(
              generator
                  .generate("a green circle")
                  .from(dev.lmm.Image.read(png))
                  .steps(3)
                  .seed(7)
                  .run()
                  .get(0)
                  .image()
                  .rgb());
      ImagePrompt refused =
          new ImagePrompt(wish, ImageOptionsBuilder.builder().style("vivid").build());
      assertThatThrownBy(() -> model.call(refused)).isInstanceOf(InvalidRequestException.class);
    }
  }

  private static byte[] png(ImageResponse response) {
    return Base64.getDecoder().decode(response.getResult().getOutput().getB64Json());
  }

  @Test
  void aConversationGoesOnWithoutReadingItAgain() {
    TinyPictures.Captioned scene = TinyPictures.scenes().get(0);
    TinyPictures.Captioned other = TinyPictures.scenes().get(1);
    try (LmmChatModel model = new LmmChatModel(chat);
        Conversation talk = chat.conversation("You see.")) {
      String first = talk.ask(QUESTION).image(scene.image()).run().text();
      Answer second = talk.ask("And where is it?").maxTokens(20).run();
      List<Message> said = new ArrayList<>();
      said.add(new SystemMessage("You see."));
      said.add(asks(QUESTION, scene));
      ChatResponse heard = model.call(new Prompt(said));
      assertThat(heard.getResult().getOutput().getText()).isEqualTo(first).isNotBlank();
      said.add(heard.getResult().getOutput());
      said.add(new UserMessage("And where is it?"));
      ChatOptions options = ChatOptions.builder().maxTokens(20).build();
      ChatResponse again = model.call(new Prompt(said, options));
      assertThat(again.getResult().getOutput().getText()).isEqualTo(second.text());
      assertThat(again.getMetadata().getModel()).isEqualTo("tiny-qwen2.5-vl");
      assertThat(again.getMetadata().getUsage().getPromptTokens()).isEqualTo(second.promptTokens());
      assertThat(again.getMetadata().getUsage().getCompletionTokens())
          .isEqualTo(second.tokens().size());
      // The same words with another picture are another conversation, kept or not.
      said.set(1, asks(QUESTION, other));
      try (LmmChatModel fresh = new LmmChatModel(chat)) {
        assertThat(model.call(new Prompt(said, options)).getResult().getOutput().getText())
            .isEqualTo(fresh.call(new Prompt(said, options)).getResult().getOutput().getText());
      }
    }
  }

  @Test
  void anAnswerIsStreamedAndCancelled() throws Exception {
    TinyPictures.Captioned scene = TinyPictures.scenes().get(0);
    try (LmmChatModel model = new LmmChatModel(chat)) {
      Prompt prompt = new Prompt(asks(QUESTION, scene));
      String whole = model.call(prompt).getResult().getOutput().getText();
      List<ChatResponse> parts = model.stream(prompt).collectList().block(Duration.ofSeconds(60));
      assertThat(parts).hasSizeGreaterThan(2);
      StringBuilder text = new StringBuilder();
      parts.forEach(part -> text.append(part.getResult().getOutput().getText()));
      assertThat(text.toString()).isEqualTo(whole);
      ChatResponse last = parts.get(parts.size() - 1);
      assertThat(last.getResult().getMetadata().getFinishReason()).isEqualTo("STOP");
      assertThat(last.getMetadata().getUsage().getCompletionTokens()).isPositive();
      assertThat(parts)
          .extracting(part -> part.getMetadata().getId())
          .containsOnly(last.getMetadata().getId());

      CountDownLatch begun = new CountDownLatch(1);
      List<Throwable> failures = new ArrayList<>();
      Disposable going = model.stream(prompt).subscribe(part -> begun.countDown(), failures::add);
      assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
      going.dispose();
      // The model answers the next question all the same.
      assertThat(model.call(prompt).getResult().getOutput().getText()).isEqualTo(whole);
      assertThat(failures).isEmpty();
    }
  }

  @Test
  void anAnswerKeepsToASchema() {
    try (LmmChatModel model = new LmmChatModel(chat)) {
      var options =
          ((StructuredOutputChatOptions) model.getOptions())
              .mutate()
              .outputSchema(
                  "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"boolean\"}},\"required\":[\"n\"],\"additionalProperties\":false}")
              .build();
      assertThat(model.call(new Prompt(QUESTION, options)).getResult().getOutput().getText())
          .matches("\\{\\s*\"n\"\\s*:\\s*(true|false)\\s*}");
    }
  }

  @Test
  void whatWouldBePassedOverIsRefused() {
    try (LmmChatModel model = new LmmChatModel(chat)) {
      List<Prompt> refused =
          List.of(
              new Prompt("a", ChatOptions.builder().model("another").build()),
              new Prompt("a", ChatOptions.builder().frequencyPenalty(1.0).build()),
              new Prompt("a", ChatOptions.builder().presencePenalty(1.0).build()),
              new Prompt("a", ChatOptions.builder().maxTokens(0).build()),
              new Prompt(new AssistantMessage("a")),
              new Prompt(new AssistantMessage("a"), new UserMessage("b")),
              new Prompt(
                  new UserMessage("a"), ToolResponseMessage.builder().responses(List.of()).build()),
              new Prompt(
                  UserMessage.builder()
                      .text("a")
                      .media(
                          Media.builder()
                              .mimeType(MimeTypeUtils.IMAGE_PNG)
                              .data("https://example.com/a.png")
                              .build())
                      .build()),
              new Prompt(
                  UserMessage.builder()
                      .text("a")
                      .media(
                          Media.builder()
                              .mimeType(MimeTypeUtils.APPLICATION_OCTET_STREAM)
                              .data(new byte[1])
                              .build())
                      .build()));
      for (Prompt prompt : refused) {
        assertThatThrownBy(() -> model.call(prompt))
            .as(prompt.toString())
            .isInstanceOf(InvalidRequestException.class);
        assertThatThrownBy(() -> model.stream(prompt).blockLast(Duration.ofSeconds(60)))
            .as(prompt.toString())
            .isInstanceOf(InvalidRequestException.class);
      }
    }
  }
}
