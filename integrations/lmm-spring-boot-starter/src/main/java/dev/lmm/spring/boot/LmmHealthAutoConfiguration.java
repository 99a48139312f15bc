package dev.lmm.spring.boot;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/** The health of the models, where the application shows health. */
@AutoConfiguration(after = LmmAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnBean(LmmModels.class)
@ConditionalOnEnabledHealthIndicator("lmm")
public class LmmHealthAutoConfiguration {
  /** For Spring. */
  public LmmHealthAutoConfiguration() {}

  @Bean
  @ConditionalOnMissingBean(name = "lmmHealthIndicator")
  HealthIndicator lmmHealthIndicator(LmmModels models) {
    return new LmmHealthIndicator(models);
  }
}
