package dev.lmm.spring.ai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Chat;
import dev.lmm.Encoder;
import dev.lmm.Generator;
import dev.lmm.Models;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.embedding.DocumentEmbeddingModel;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.image.ImageModel;

/** What docs/applications.md shows. */
class ApplicationsPageTest {
  @Test
  void rolesBecomeModels() {
    try (Encoder encoder = Models.encoder("tiny-clip").load();
        Generator generator = Models.generator("tiny-sd").load();
        Chat qwen = Models.chat("tiny-qwen2.5-vl").load()) {
      EmbeddingModel embeddings = new LmmEmbeddingModel(encoder);
      DocumentEmbeddingModel documents = new LmmDocumentEmbeddingModel(encoder); // pictures too
      ImageModel images = new LmmImageModel(generator, r -> r.steps(25).seed(7));
      ChatModel chat = new LmmChatModel(qwen); // whole answers, and streams

      assertThat(embeddings.dimensions()).isEqualTo(documents.dimensions());
      assertThat(images).isNotNull();
      assertThat(chat.call("What is a circle?")).isNotNull();
    }
  }
}
