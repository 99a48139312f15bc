package dev.lmm.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.image.ImageModel;
import dev.lmm.Chat;
import dev.lmm.Encoder;
import dev.lmm.Generator;
import dev.lmm.Models;
import org.junit.jupiter.api.Test;

/** What docs/applications.md shows. */
class ApplicationsPageTest {
  @Test
  void rolesBecomeModels() {
    try (Encoder encoder = Models.encoder("tiny-clip").load();
        Generator generator = Models.generator("tiny-sd").load();
        Chat qwen = Models.chat("tiny-qwen2.5-vl").load()) {
      EmbeddingModel embeddings = LmmEmbeddingModel.of(encoder); // texts and pictures, one space
      ImageModel images =
          LmmImageModel.builder(generator).options(r -> r.steps(25).seed(7)).build();
      ChatModel chat = LmmChatModel.of(qwen);
      StreamingChatModel streaming = LmmStreamingChatModel.of(qwen);

      assertThat(embeddings.embed("a red circle").content().dimension())
          .isEqualTo(encoder.dimension());
      assertThat(images.generate("a red circle").content().mimeType()).isEqualTo("image/png");
      assertThat(chat.chat("What is a circle?")).isNotNull();
      assertThat(streaming).isNotNull();
    }
  }
}
