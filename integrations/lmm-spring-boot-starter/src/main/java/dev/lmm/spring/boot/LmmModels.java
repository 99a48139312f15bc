package dev.lmm.spring.boot;

import dev.lmm.Model;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.context.SmartLifecycle;

/**
 * The models of {@code lmm.*}. Roles that name the same model in the same way share it: it is
 * loaded once. Stops after the web server: what still runs may end within {@code
 * lmm.shutdown-timeout}, then it is cancelled. Thread-safe.
 */
public final class LmmModels implements SmartLifecycle, DisposableBean {
  /** Stops after web servers and message listeners, which have higher phases. */
  static final int PHASE = 0;

  private static final Logger LOG = LoggerFactory.getLogger(LmmModels.class);

  private final LmmProperties properties;
  private final Runs runs;
  private final Map<LmmProperties.Role, ModelHolder> holders = new LinkedHashMap<>();
  private final Map<String, ModelHolder> byRole = new LinkedHashMap<>();
  private volatile boolean running;

  LmmModels(LmmProperties properties, List<RunListener> listeners) {
    this.properties = properties;
    this.runs = new Runs(listeners);
    properties
        .roles()
        .forEach(
            (name, wanted) ->
                byRole.put(
                    name,
                    holders.computeIfAbsent(
                        wanted, w -> new ModelHolder(w, properties, listeners))));
    if (properties.load() == LmmProperties.Load.EAGER) {
      try {
        holders.values().forEach(ModelHolder::get);
      } catch (RuntimeException e) {
        destroy();
        throw e;
      }
    }
  }

  /**
   * The model of a role, loaded now if it is not yet.
   *
   * @param role {@code encoder}, {@code chat}, {@code generator}, {@code captioner}, {@code
   *     matcher} or {@code grounder}
   * @return the model; the application's context closes it
   * @throws IllegalArgumentException if the properties name no model for it
   */
  public Model model(String role) {
    return holder(role).get();
  }

  private ModelHolder holder(String role) {
    ModelHolder holder = byRole.get(role);
    if (holder == null) {
      throw new IllegalArgumentException(
          "lmm." + role + ".model is not set; set are: " + byRole.keySet());
    }
    return holder;
  }

  <T> T role(Class<T> type, String role, Function<Model, T> of) {
    ModelHolder holder = holder(role);
    return RoleProxy.of(type, role, holder.name(), () -> of.apply(holder.get()), runs);
  }

  Map<String, ModelHolder> holders() {
    return byRole;
  }

  @Override
  public void start() {
    runs.start();
    running = true;
  }

  @Override
  public void stop() {
    runs.stop();
    running = false;
    try {
      if (!runs.await(properties.shutdownTimeout())) {
        LOG.warn(
            "{} runs go on after {}; they are cancelled",
            runs.going(),
            properties.shutdownTimeout());
        runs.cancel();
        runs.await(properties.shutdownTimeout());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  @Override
  public int getPhase() {
    return PHASE;
  }

  /** Frees the models. */
  @Override
  public void destroy() {
    holders.values().forEach(ModelHolder::close);
  }
}
