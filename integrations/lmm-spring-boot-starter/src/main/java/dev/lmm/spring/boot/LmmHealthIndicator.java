package dev.lmm.spring.boot;

import dev.lmm.Model;
import dev.lmm.ModelInfo;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/**
 * Up unless a model could not be loaded; tells of each role its model, engine, device, precision.
 */
final class LmmHealthIndicator extends AbstractHealthIndicator {
  private final LmmModels models;

  LmmHealthIndicator(LmmModels models) {
    super("The models could not be looked at");
    this.models = models;
  }

  @Override
  protected void doHealthCheck(Health.Builder builder) {
    builder.up();
    models
        .holders()
        .forEach(
            (role, holder) -> {
              Map<String, Object> details = new LinkedHashMap<>();
              details.put("model", holder.name());
              Model model = holder.loaded();
              RuntimeException failure = holder.failure();
              details.put("loaded", model != null);
              if (model != null) {
                ModelInfo info = model.info();
                details.put("type", info.modelType());
                details.put("engine", info.engine());
                details.put("device", info.device());
                details.put("precision", info.precision());
              } else if (failure != null) {
                details.put("error", String.valueOf(failure.getMessage()));
                builder.down();
              }
              builder.withDetail(role, details);
            });
  }
}
