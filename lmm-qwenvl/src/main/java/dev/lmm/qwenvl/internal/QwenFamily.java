package dev.lmm.qwenvl.internal;

import dev.lmm.Model;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.ModelFamily;
import dev.lmm.core.family.Stage;
import dev.lmm.core.family.StageContext;
import java.util.List;
import java.util.Set;

/** Loads Qwen2.5-VL and Qwen2-VL checkpoints. */
public final class QwenFamily implements ModelFamily {
  /** For {@link java.util.ServiceLoader}. */
  public QwenFamily() {}

  @Override
  public Set<String> modelTypes() {
    return Set.of("qwen2_5_vl", "qwen2_vl");
  }

  @Override
  public Model load(LoadContext context) {
    return QwenModel.load(context);
  }

  @Override
  public List<Stage> stages(StageContext context) {
    return QwenModel.stages(context);
  }
}
