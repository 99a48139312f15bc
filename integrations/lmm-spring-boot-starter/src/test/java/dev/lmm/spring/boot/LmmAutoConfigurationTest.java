package dev.lmm.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CancelledException;
import dev.lmm.Chat;
import dev.lmm.Conversation;
import dev.lmm.Encoder;
import dev.lmm.Generator;
import dev.lmm.Grounder;
import dev.lmm.ModelNotFoundException;
import dev.lmm.Precision;
import dev.lmm.Score;
import dev.lmm.TokenStream;
import dev.lmm.tiny.TinyPictures;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

class LmmAutoConfigurationTest {
  private static final List<TinyPictures.Captioned> PICTURES = TinyPictures.all();

  private final ApplicationContextRunner application =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  LmmAutoConfiguration.class,
                  LmmHealthAutoConfiguration.class,
                  LmmMetricsAutoConfiguration.class));

  @Test
  void aNamedModelIsABean() {
    application
        .withPropertyValues("lmm.encoder.model=tiny-clip", "lmm.encoder.precision=int8")
        .run(
            context -> {
              Encoder encoder = context.getBean(Encoder.class);
              assertThat(encoder.info().precision()).isEqualTo(Precision.INT8);
              assertThat(
                      Score.best(
                              encoder.rank(
                                  PICTURES.get(1).image(),
                                  PICTURES.stream().map(TinyPictures.Captioned::english).toList()))
                          .text())
                  .isEqualTo(PICTURES.get(1).english());
              assertThat(context).doesNotHaveBean(Chat.class).doesNotHaveBean(Generator.class);
            });
  }

  @Test
  void withoutPropertiesThereIsNoModel() {
    application.run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(Encoder.class));
  }

  @Test
  void theApplicationsOwnBeanIsTaken() {
    application
        .withPropertyValues("lmm.encoder.model=tiny-clip", "lmm.load=lazy")
        .withBean("own", Encoder.class, () -> dev.lmm.Models.encoder("tiny-siglip2").load())
        .run(
            context ->
                assertThat(context.getBean(Encoder.class).info().id()).contains("tiny-siglip2"));
  }

  @Test
  void rolesOfOneModelShareIt() {
    application
        .withPropertyValues("lmm.chat.model=tiny-qwen2.5-vl", "lmm.grounder.model=tiny-qwen2.5-vl")
        .run(
            context -> {
              LmmModels models = context.getBean(LmmModels.class);
              assertThat(models.model("chat")).isSameAs(models.model("grounder"));
              assertThat(context.getBean(Grounder.class).info())
                  .isEqualTo(context.getBean(Chat.class).info());
              assertThatThrownBy(() -> models.model("matcher"))
                  .isInstanceOf(IllegalArgumentException.class)
                  .hasMessage("lmm.matcher.model is not set; set are: [chat, grounder]");
            });
  }

  @Test
  void lazyModelsAreLoadedWhenTheyAreUsed() {
    application
        .withPropertyValues("lmm.load=lazy", "lmm.encoder.model=tiny-clip")
        .run(
            context -> {
              HealthIndicator health = context.getBean(HealthIndicator.class);
              assertThat(details(health.health(), "encoder"))
                  .containsExactly(Map.entry("model", "tiny-clip"), Map.entry("loaded", false));
              assertThat(context.getBean(Encoder.class).embed("a star")).isNotEmpty();
              assertThat(details(health.health(), "encoder"))
                  .containsEntry("loaded", true)
                  .containsEntry("type", "clip")
                  .containsEntry("engine", "onnx")
                  .containsEntry("device", "cpu");
              assertThat(health.health().getStatus()).isEqualTo(Status.UP);
            });
  }

  @Test
  void anEagerModelThatIsNotThereStopsTheStart() {
    application
        .withPropertyValues("lmm.encoder.model=tiny-clop", "lmm.offline=true")
        .run(
            context ->
                assertThat(context)
                    .hasFailed()
                    .getFailure()
                    .hasRootCauseInstanceOf(ModelNotFoundException.class)
                    .rootCause()
                    .hasMessageContaining("tiny-clop"));
  }

  @Test
  void aLazyModelThatIsNotThereIsTriedAgainAndTurnsHealthDown() {
    application
        .withPropertyValues("lmm.load=lazy", "lmm.encoder.model=tiny-clop", "lmm.offline=true")
        .run(
            context -> {
              Encoder encoder = context.getBean(Encoder.class);
              assertThatThrownBy(() -> encoder.embed("a star"))
                  .isInstanceOf(ModelNotFoundException.class);
              Health health = context.getBean(HealthIndicator.class).health();
              assertThat(health.getStatus()).isEqualTo(Status.DOWN);
              assertThat(String.valueOf(details(health, "encoder").get("error")))
                  .contains("tiny-clop");
              assertThatThrownBy(() -> encoder.embed("a star"))
                  .isInstanceOf(ModelNotFoundException.class);
            });
  }

  @Test
  void closingABeanDoesNotCloseTheModelForOthers() {
    application
        .withPropertyValues("lmm.encoder.model=tiny-clip")
        .run(
            context -> {
              Encoder encoder = context.getBean(Encoder.class);
              encoder.close();
              assertThat(encoder.embed("a star")).isNotEmpty();
              assertThat(encoder).hasToString("encoder tiny-clip");
              assertThat(List.of(encoder)).contains(encoder);
            });
  }

  @Test
  void metersCountLoadsRunsAndTokens() {
    application
        .withUserConfiguration(Meters.class)
        .withPropertyValues(
            "lmm.encoder.model=tiny-clip",
            "lmm.chat.model=tiny-qwen2.5-vl",
            "lmm.generator.model=tiny-sd")
        .run(
            context -> {
              Encoder encoder = context.getBean(Encoder.class);
              encoder.embed("a star");
              encoder.texts(List.of("a", "b")).run();
              encoder.texts(List.of("c")).run();
              context.getBean(Generator.class).generate("a star").steps(1).run();
              Chat chat = context.getBean(Chat.class);
              int written;
              int read;
              try (Conversation talk = chat.conversation()) {
                var answer =
                    talk.ask("What is in the picture?")
                        .image(PICTURES.get(0).image())
                        .maxTokens(5)
                        .run();
                written = answer.tokens().size();
                read = answer.promptTokens();
              }
              try (TokenStream left = chat.ask("Where?").maxTokens(5).stream()) {
                left.next();
                written++;
                read += left.answer().promptTokens();
              }
              MeterRegistry meters = context.getBean(MeterRegistry.class);
              assertThat(meters.get("lmm.load").tag("model", "tiny-sd").timer().count()).isOne();
              assertThat(run(meters, "encoder", "embed", "success")).isEqualTo(1);
              assertThat(run(meters, "encoder", "texts", "success")).isEqualTo(2);
              assertThat(run(meters, "generator", "generate", "success")).isEqualTo(1);
              assertThat(run(meters, "chat", "ask", "success")).isEqualTo(2);
              assertThat(meters.get("lmm.tokens").tag("kind", "written").counter().count())
                  .isEqualTo(written);
              assertThat(meters.get("lmm.tokens").tag("kind", "read").counter().count())
                  .isEqualTo(read);
              assertThat(meters.get("lmm.tokens.per.second").summary().count()).isEqualTo(2);
              assertThat(meters.get("lmm.tokens.per.second").summary().max()).isPositive();
              assertThat(meters.get("lmm.model.size").tag("model", "tiny-clip").gauge().value())
                  .isEqualTo((double) encoder.summary().bytes());
              if (ProcessMemory.known()) {
                assertThat(meters.get("lmm.process.memory").gauge().value()).isGreaterThan(1e6);
              }
              assertThatThrownBy(() -> encoder.rank(PICTURES.get(0).image(), List.of()))
                  .isInstanceOf(dev.lmm.InvalidRequestException.class);
              assertThat(run(meters, "encoder", "rank", "failure")).isEqualTo(1);
            });
  }

  @Test
  void withoutMicrometerOrHealthTheModelsAreThereAllTheSame() {
    application
        .withClassLoader(new FilteredClassLoader(MeterRegistry.class, HealthIndicator.class))
        .withPropertyValues("lmm.encoder.model=tiny-clip")
        .run(
            context -> {
              assertThat(context).hasNotFailed().doesNotHaveBean("lmmHealthIndicator");
              assertThat(context.getBean(Encoder.class).embed("a star")).isNotEmpty();
            });
  }

  @Test
  void stoppingWaitsForWhatRuns() {
    application
        .withPropertyValues("lmm.generator.model=tiny-sd")
        .run(
            context -> {
              Generator generator = context.getBean(Generator.class);
              CountDownLatch begun = new CountDownLatch(1);
              CompletableFuture<Integer> pictures =
                  CompletableFuture.supplyAsync(
                      () ->
                          generator
                              .generate("a star")
                              .steps(8)
                              .onStep(step -> begun.countDown())
                              .run()
                              .size());
              assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
              context.getSourceApplicationContext().close();
              // Closed under it, it would have failed. Its thread may still be on the way here.
              assertThat(pictures.get(10, TimeUnit.SECONDS)).isEqualTo(1);
              assertThatThrownBy(() -> generator.generate("a star").run())
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("stopping");
            });
  }

  @Test
  void whatRunsTooLongIsCancelled() {
    application
        .withPropertyValues("lmm.generator.model=tiny-sd", "lmm.shutdown-timeout=200ms")
        .run(
            context -> {
              Generator generator = context.getBean(Generator.class);
              CountDownLatch begun = new CountDownLatch(1);
              CompletableFuture<Integer> pictures =
                  CompletableFuture.supplyAsync(
                      () ->
                          generator
                              .generate("a star")
                              .steps(1000)
                              .onStep(step -> begun.countDown())
                              .run()
                              .size());
              assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
              context.getSourceApplicationContext().close();
              assertThatThrownBy(() -> pictures.get(10, TimeUnit.SECONDS))
                  .isInstanceOf(ExecutionException.class)
                  .hasCauseInstanceOf(CancelledException.class);
            });
  }

  @Test
  void editorsAreToldOfTheProperties() throws Exception {
    try (InputStream metadata =
        LmmProperties.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
      assertThat(metadata).isNotNull();
      String json = new String(metadata.readAllBytes(), StandardCharsets.UTF_8);
      assertThat(json)
          .contains("\"lmm.encoder.model\"", "\"lmm.chat.precision\"", "\"lmm.load\"")
          .contains("Hub id, folder, or name of a bundled model.")
          .contains("How long runs may go on when the application stops");
    }
  }

  private static double run(MeterRegistry meters, String role, String operation, String outcome) {
    return meters
        .get("lmm.run")
        .tag("role", role)
        .tag("operation", operation)
        .tag("outcome", outcome)
        .timer()
        .count();
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> details(Health health, String role) {
    return (Map<String, Object>) health.getDetails().get(role);
  }

  @Configuration(proxyBeanMethods = false)
  static class Meters {
    @Bean
    MeterRegistry registry() {
      return new SimpleMeterRegistry();
    }
  }
}
