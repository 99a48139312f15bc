package dev.lmm.qwenvl.internal;

import dev.lmm.Model;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.ModelFamily;
import java.util.Set;

/** Loads Qwen2.5-VL checkpoints. */
public final class QwenFamily implements ModelFamily {
  /** For {@link java.util.ServiceLoader}. */
  public QwenFamily() {}

  @Override
  public Set<String> modelTypes() {
    return Set.of("qwen2_5_vl");
  }

  @Override
  public Model load(LoadContext context) {
    return QwenModel.load(context);
  }
}
