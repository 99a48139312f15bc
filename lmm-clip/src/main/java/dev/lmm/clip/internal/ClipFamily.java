package dev.lmm.clip.internal;

import dev.lmm.Model;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.ModelFamily;
import dev.lmm.core.family.Stage;
import dev.lmm.core.family.StageContext;
import java.util.List;
import java.util.Set;

/** Loads {@code clip}, {@code siglip} and {@code siglip2}. */
public final class ClipFamily implements ModelFamily {
  /** For {@link java.util.ServiceLoader}. */
  public ClipFamily() {}

  @Override
  public Set<String> modelTypes() {
    return Set.of("clip", "siglip", "siglip2");
  }

  @Override
  public Model load(LoadContext context) {
    return ClipModel.load(context);
  }

  @Override
  public List<Stage> stages(StageContext context) {
    return ClipModel.stages(context);
  }
}
