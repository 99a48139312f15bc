package dev.lmm.core.family;

import dev.lmm.Model;
import java.util.Set;

/** A family of models; found with {@link java.util.ServiceLoader}. Thread-safe. */
public interface ModelFamily {
  /**
   * The values of config.json's {@code model_type} it loads.
   *
   * @return for instance {@code clip}
   */
  Set<String> modelTypes();

  /**
   * The pipeline classes of model_index.json's {@code _class_name} it loads, for checkpoints of
   * several folders as diffusers publishes them.
   *
   * @return for instance {@code StableDiffusionPipeline}; none by default
   */
  default Set<String> pipelines() {
    return Set.of();
  }

  /**
   * Loads a model. The programs it compiles are closed by the model, or before throwing; the
   * weights are closed by the loader, after the model.
   *
   * @param context checkpoint, engine, options
   * @return the model
   */
  Model load(LoadContext context);
}
