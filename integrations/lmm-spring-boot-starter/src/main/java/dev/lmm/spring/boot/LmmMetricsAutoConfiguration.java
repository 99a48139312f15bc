package dev.lmm.spring.boot;

import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;

/** Meters of loads, runs and tokens, where the application has a registry of meters. */
@AutoConfiguration(before = LmmAutoConfiguration.class)
@ConditionalOnClass(MeterRegistry.class)
public class LmmMetricsAutoConfiguration {
  /** For Spring. */
  public LmmMetricsAutoConfiguration() {}

  @Bean
  RunMeters lmmRunMeters(ObjectProvider<MeterRegistry> registry) {
    return new RunMeters(registry::getIfAvailable);
  }
}
