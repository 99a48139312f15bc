package dev.lmm.blip2.internal;

import dev.lmm.Model;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.ModelFamily;
import dev.lmm.core.family.Stage;
import dev.lmm.core.family.StageContext;
import java.util.List;
import java.util.Set;

/** Loads BLIP-2 checkpoints. */
public final class Blip2Family implements ModelFamily {
  /** For {@link java.util.ServiceLoader}. */
  public Blip2Family() {}

  @Override
  public Set<String> modelTypes() {
    return Set.of("blip-2");
  }

  @Override
  public Model load(LoadContext context) {
    return Blip2Config.isFirstStage(context.config())
        ? MatcherModel.load(context)
        : Blip2Model.load(context);
  }

  @Override
  public List<Stage> stages(StageContext context) {
    return Blip2Config.isFirstStage(context.config())
        ? MatcherModel.stages(context)
        : Blip2Model.stages(context);
  }
}
