package dev.lmm.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.image.Image;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.listener.EmbeddingModelRequestContext;
import dev.langchain4j.model.embedding.listener.EmbeddingModelResponseContext;
import dev.langchain4j.model.embedding.request.EmbeddingInputType;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.store.embedding.CosineSimilarity;
import dev.lmm.Chat;
import dev.lmm.Conversation;
import dev.lmm.Encoder;
import dev.lmm.Generator;
import dev.lmm.Models;
import dev.lmm.tiny.TinyPictures;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The adapters over real models. */
class TinyModelsTest {
  private static final List<TinyPictures.Captioned> PICTURES = TinyPictures.all();

  private static ImageContent content(TinyPictures.Captioned picture) {
    return ImageContent.from(
        Base64.getEncoder().encodeToString(TinyPictures.bytes(picture.file())), "image/png");
  }

  @Test
  void textsFindPicturesInTheSameSpace() {
    try (Encoder encoder = Models.encoder("tiny-siglip2").load()) {
      EmbeddingModel model = LmmEmbeddingModel.of(encoder);
      EmbeddingRequest.Builder request = EmbeddingRequest.builder();
      // Pictures and texts in turn: each must come back in its own place.
      for (TinyPictures.Captioned picture : PICTURES) {
        request.input(content(picture)).input(picture.korean());
      }
      EmbeddingResponse response = model.embed(request.build());
      assertThat(response.embeddings()).hasSize(2 * PICTURES.size());
      assertThat(response.metadata().modelName()).isEqualTo("tiny-siglip2");
      for (int i = 0; i < PICTURES.size(); i++) {
        Embedding caption = response.embeddings().get(2 * i + 1);
        assertThat(caption.vector())
            .usingComparatorWithPrecision(1e-6f)
            .containsExactly(encoder.embed(PICTURES.get(i).korean()));
        int best = 0;
        for (int j = 1; j < PICTURES.size(); j++) {
          if (similarity(response, 2 * j, caption) > similarity(response, 2 * best, caption)) {
            best = j;
          }
        }
        assertThat(best).as(PICTURES.get(i).korean()).isEqualTo(i);
      }
    }
  }

  private static double similarity(EmbeddingResponse response, int index, Embedding other) {
    return CosineSimilarity.between(response.embeddings().get(index), other);
  }

  @Test
  void embeddingsKeepLangChain4jsContract() {
    List<String> heard = new ArrayList<>();
    EmbeddingModelListener listener =
        new EmbeddingModelListener() {
          @Override
          public void onRequest(EmbeddingModelRequestContext context) {
            heard.add("request " + context.textSegments().get(0).text());
          }

          @Override
          public void onResponse(EmbeddingModelResponseContext context) {
            heard.add("response " + context.response().content().size());
          }
        };
    try (Encoder encoder = Models.encoder("tiny-clip").load()) {
      EmbeddingModel model =
          LmmEmbeddingModel.builder(encoder).listeners(List.of(listener)).build();
      assertThat(model.dimension()).isEqualTo(encoder.dimension());
      Embedding one = model.embed("hello world").content();
      assertThat(one.dimension()).isEqualTo(model.dimension());
      assertThat(one.vector()).isEqualTo(encoder.embed("hello world"));
      double squares = 0;
      for (float x : one.vector()) {
        squares += (double) x * x;
      }
      assertThat(squares).isCloseTo(1, within(1e-5));
      assertThat(heard).containsExactly("request hello world", "response 1");
      List<Embedding> two =
          model.embedAll(List.of(TextSegment.from("first"), TextSegment.from("second"))).content();
      assertThat(two).hasSize(2);
      assertThat(two.get(0)).isNotEqualTo(two.get(1));
      assertThat(two.get(0).vector())
          .isEqualTo(encoder.texts(List.of("first", "second")).run().vector(0));
      for (EmbeddingRequest refused :
          List.of(
              EmbeddingRequest.builder().input("a").dimensions(8).build(),
              EmbeddingRequest.builder().input("a").inputType(EmbeddingInputType.QUERY).build(),
              EmbeddingRequest.builder()
                  .input(TextContent.from("a cat: "), content(PICTURES.get(0)))
                  .build())) {
        assertThatThrownBy(() -> model.embed(refused))
            .isExactlyInstanceOf(UnsupportedFeatureException.class);
      }
    }
  }

  @Test
  void picturesAreMadeAndMadeAnew() {
    try (Generator generator = Models.generator("tiny-sd").load()) {
      ImageModel model = LmmImageModel.builder(generator).options(r -> r.steps(3).seed(7)).build();
      Image made = model.generate("a red circle on a blue background").content();
      assertThat(made.mimeType()).isEqualTo("image/png");
      byte[] png = Base64.getDecoder().decode(made.base64Data());
      byte[] expected =
          generator
              .generate("a red circle on a blue background")
              .steps(3)
              .seed(7)
              .run()
              .get(0)
              .image()
              .rgb();
      assertThat(dev.lmm.Image.read(png).rgb()).isEqualTo(expected);
      assertThat(new String(png, StandardCharsets.ISO_8859_1))
          .contains("parameters", "a red circle on a blue background");
      assertThat(model.generate("a star", 2).content()).hasSize(2).doesNotHaveDuplicates();
      Image changed = model.edit(made, "a green circle on a blue background").content();
      assertThat(changed).isNotEqualTo(made);
      Image mask = Image.builder().base64Data(made.base64Data()).mimeType("image/png").build();
      assertThat(model.edit(made, mask, "a star").content()).isNotEqualTo(changed);
    }
  }

  @Test
  void aChatAnswersAsItDoesWithoutLangChain4j() {
    TinyPictures.Captioned scene = TinyPictures.scenes().get(0);
    String question = "What is in the picture?";
    try (Chat chat = Models.chat("tiny-qwen2.5-vl").load();
        LmmChatModel model = LmmChatModel.builder(chat).keptConversations(0).build();
        Conversation talk = chat.conversation()) {
      String first = talk.ask(question).image(scene.image()).run().text();
      dev.lmm.Answer second = talk.ask("And where is it?").maxTokens(20).run();

      UserMessage asked = UserMessage.from(TextContent.from(question), content(scene));
      ChatResponse heard = model.chat(asked);
      assertThat(heard.aiMessage().text()).isEqualTo(first).isNotBlank();
      ChatResponse again =
          model.chat(
              dev.langchain4j.model.chat.request.ChatRequest.builder()
                  .messages(asked, AiMessage.from(first), UserMessage.from("And where is it?"))
                  .maxOutputTokens(20)
                  .build());
      assertThat(again.aiMessage().text()).isEqualTo(second.text());
      assertThat(again.metadata().tokenUsage().inputTokenCount()).isEqualTo(second.promptTokens());
    }
  }
}
