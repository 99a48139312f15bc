package dev.lmm.spring.boot;

import dev.lmm.Answer;
import dev.lmm.CancelledException;
import dev.lmm.Model;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The meters.
 *
 * <ul>
 *   <li>{@code lmm.load}: time a model took to load; model, outcome
 *   <li>{@code lmm.run}: latency; role, model, operation, outcome
 *   <li>{@code lmm.tokens}: tokens read and written; model, kind
 *   <li>{@code lmm.tokens.per.second}: of an answer, from its question to its last token; model
 *   <li>{@code lmm.model.size}: bytes of a loaded model's parameters as they are stored; model
 *   <li>{@code lmm.process.memory}: bytes the process holds, natives included (Linux)
 * </ul>
 */
final class RunMeters implements RunListener {
  private final Supplier<@Nullable MeterRegistry> registry;

  RunMeters(Supplier<@Nullable MeterRegistry> registry) {
    this.registry = registry;
  }

  @Override
  public void loaded(String name, @Nullable Model model, Duration took) {
    MeterRegistry meters = registry.get();
    if (meters == null) {
      return;
    }
    Timer.builder("lmm.load")
        .description("Time a model took to load")
        .tag("model", name)
        .tag("outcome", model == null ? "failure" : "success")
        .register(meters)
        .record(took);
    if (model != null) {
      long bytes = model.summary().bytes();
      Gauge.builder("lmm.model.size", () -> bytes)
          .description("Bytes of a model's parameters as they are stored")
          .baseUnit("bytes")
          .tag("model", name)
          .register(meters);
    }
    if (ProcessMemory.known() && meters.find("lmm.process.memory").gauge() == null) {
      Gauge.builder("lmm.process.memory", ProcessMemory::resident)
          .description("Bytes of memory the process holds, natives included")
          .baseUnit("bytes")
          .register(meters);
    }
  }

  @Override
  public void ran(
      String role, String model, String operation, Duration took, @Nullable Throwable failure) {
    MeterRegistry meters = registry.get();
    if (meters == null) {
      return;
    }
    String outcome =
        failure == null
            ? "success"
            : failure instanceof CancelledException ? "cancelled" : "failure";
    Timer.builder("lmm.run")
        .description("Time a run took")
        .tag("role", role)
        .tag("model", model)
        .tag("operation", operation)
        .tag("outcome", outcome)
        .register(meters)
        .record(took);
  }

  @Override
  public void answered(String model, Answer answer, Duration took) {
    MeterRegistry meters = registry.get();
    if (meters == null) {
      return;
    }
    meters.counter("lmm.tokens", "model", model, "kind", "read").increment(answer.promptTokens());
    int written = answer.tokens().size();
    meters.counter("lmm.tokens", "model", model, "kind", "written").increment(written);
    if (written > 0) {
      DistributionSummary.builder("lmm.tokens.per.second")
          .description("Tokens a second of an answer, from its question to its last token")
          .tag("model", model)
          .register(meters)
          .record(written / Math.max(1e-9, took.toNanos() / 1e9));
    }
  }
}
