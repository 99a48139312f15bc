package dev.lmm.core.family;

import dev.lmm.Model;
import java.util.List;
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

  /**
   * The graphs a model consists of and the lengths of their runs for a request of some size, in the
   * order they run. Reads configs only, so that memory can be estimated before there are weights.
   *
   * @param context configs, shapes and the size
   * @return the stages; a graph that runs for several lengths stands once, with the largest
   */
  List<Stage> stages(StageContext context);
}
