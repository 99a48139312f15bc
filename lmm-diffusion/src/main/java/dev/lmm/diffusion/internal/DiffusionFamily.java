package dev.lmm.diffusion.internal;

import dev.lmm.Model;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.ModelFamily;
import dev.lmm.core.family.Stage;
import dev.lmm.core.family.StageContext;
import java.util.List;
import java.util.Set;

/** Loads Stable Diffusion pipelines from diffusers folders. */
public final class DiffusionFamily implements ModelFamily {
  /** For {@link java.util.ServiceLoader}. */
  public DiffusionFamily() {}

  @Override
  public Set<String> modelTypes() {
    return Set.of();
  }

  @Override
  public Set<String> pipelines() {
    return Set.of(
        "StableDiffusionPipeline",
        "StableDiffusionInpaintPipeline",
        "StableDiffusionXLPipeline",
        "StableDiffusionXLInpaintPipeline");
  }

  @Override
  public Model load(LoadContext context) {
    return DiffusionModel.load(context);
  }

  @Override
  public List<Stage> stages(StageContext context) {
    return DiffusionStages.of(context);
  }
}
