package dev.lmm.spring.boot;

import dev.lmm.Captioner;
import dev.lmm.Chat;
import dev.lmm.Encoder;
import dev.lmm.Generator;
import dev.lmm.Grounder;
import dev.lmm.Matcher;
import dev.lmm.Model;
import dev.lmm.Models;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * A bean for each role whose model the properties name, unless the application has one of its own.
 */
@AutoConfiguration
@ConditionalOnClass(Models.class)
@EnableConfigurationProperties(LmmProperties.class)
public class LmmAutoConfiguration {
  /** For Spring. */
  public LmmAutoConfiguration() {}

  @Bean
  @ConditionalOnMissingBean
  LmmModels lmmModels(LmmProperties properties, ObjectProvider<RunListener> listeners) {
    return new LmmModels(properties, listeners.orderedStream().toList());
  }

  @Bean(destroyMethod = "")
  @ConditionalOnMissingBean
  @ConditionalOnProperty("lmm.encoder.model")
  Encoder lmmEncoder(LmmModels models) {
    return models.role(Encoder.class, "encoder", Model::encoder);
  }

  @Bean(destroyMethod = "")
  @ConditionalOnMissingBean
  @ConditionalOnProperty("lmm.chat.model")
  Chat lmmChat(LmmModels models) {
    return models.role(Chat.class, "chat", Model::chat);
  }

  @Bean(destroyMethod = "")
  @ConditionalOnMissingBean
  @ConditionalOnProperty("lmm.generator.model")
  Generator lmmGenerator(LmmModels models) {
    return models.role(Generator.class, "generator", Model::generator);
  }

  @Bean(destroyMethod = "")
  @ConditionalOnMissingBean
  @ConditionalOnProperty("lmm.captioner.model")
  Captioner lmmCaptioner(LmmModels models) {
    return models.role(Captioner.class, "captioner", Model::captioner);
  }

  @Bean(destroyMethod = "")
  @ConditionalOnMissingBean
  @ConditionalOnProperty("lmm.matcher.model")
  Matcher lmmMatcher(LmmModels models) {
    return models.role(Matcher.class, "matcher", Model::matcher);
  }

  @Bean(destroyMethod = "")
  @ConditionalOnMissingBean
  @ConditionalOnProperty("lmm.grounder.model")
  Grounder lmmGrounder(LmmModels models) {
    return models.role(Grounder.class, "grounder", Model::grounder);
  }
}
