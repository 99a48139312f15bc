package dev.lmm.spring.ai;

import dev.lmm.Chat;
import dev.lmm.Encoder;
import dev.lmm.Generator;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.embedding.DocumentEmbeddingModel;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.image.ImageModel;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** An adapter for each role that is a bean, unless the application has one of its own. */
@AutoConfiguration(afterName = "dev.lmm.spring.boot.LmmAutoConfiguration")
public class LmmSpringAiAutoConfiguration {
  /** For Spring. */
  public LmmSpringAiAutoConfiguration() {}

  @Bean
  @ConditionalOnBean(Encoder.class)
  @ConditionalOnMissingBean(EmbeddingModel.class)
  LmmEmbeddingModel lmmEmbeddingModel(Encoder encoder) {
    return new LmmEmbeddingModel(encoder);
  }

  @Bean
  @ConditionalOnBean(Encoder.class)
  @ConditionalOnMissingBean(DocumentEmbeddingModel.class)
  LmmDocumentEmbeddingModel lmmDocumentEmbeddingModel(Encoder encoder) {
    return new LmmDocumentEmbeddingModel(encoder);
  }

  @Bean
  @ConditionalOnBean(Generator.class)
  @ConditionalOnMissingBean(ImageModel.class)
  LmmImageModel lmmImageModel(Generator generator) {
    return new LmmImageModel(generator);
  }

  @Bean
  @ConditionalOnBean(Chat.class)
  @ConditionalOnMissingBean(ChatModel.class)
  LmmChatModel lmmChatModel(Chat chat) {
    return new LmmChatModel(chat);
  }
}
