package dev.lmm.spring.ai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Encoder;
import dev.lmm.spring.boot.LmmAutoConfiguration;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.embedding.DocumentEmbeddingModel;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.image.ImageModel;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** The beans of an application with both, this and the starter. */
class LmmSpringAiAutoConfigurationTest {
  private final ApplicationContextRunner application =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  LmmSpringAiAutoConfiguration.class, LmmAutoConfiguration.class));

  @Test
  void everyRoleHasItsAdapter() {
    application
        .withPropertyValues(
            "lmm.encoder.model=tiny-clip",
            "lmm.generator.model=tiny-sd",
            "lmm.chat.model=tiny-qwen2.5-vl",
            "lmm.load=lazy")
        .run(
            context -> {
              assertThat(context).hasSingleBean(DocumentEmbeddingModel.class);
              assertThat(context).hasSingleBean(ImageModel.class);
              assertThat(context).hasSingleBean(ChatModel.class);
              EmbeddingModel model = context.getBean(EmbeddingModel.class);
              assertThat(model.embed("a red circle"))
                  .isEqualTo(context.getBean(Encoder.class).embed("a red circle"));
            });
  }

  @Test
  void withoutARoleThereIsNoAdapterAndTheApplicationsOwnIsKept() {
    application.run(
        context -> {
          assertThat(context).hasNotFailed();
          assertThat(context).doesNotHaveBean(EmbeddingModel.class);
          assertThat(context).doesNotHaveBean(ChatModel.class);
        });
    ChatModel own = prompt -> null;
    application
        .withBean(ChatModel.class, () -> own)
        .withPropertyValues("lmm.chat.model=tiny-qwen2.5-vl", "lmm.load=lazy")
        .run(context -> assertThat(context.getBean(ChatModel.class)).isSameAs(own));
  }
}
