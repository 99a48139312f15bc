package dev.lmm.tiny.qwenvl;

import dev.lmm.core.hub.ResourceModel;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** The bundled model {@code tiny-qwen2.5-vl}. */
public final class TinyQwenVl extends ResourceModel {
  /** For {@link java.util.ServiceLoader}. */
  public TinyQwenVl() {
    super("tiny-qwen2.5-vl");
  }

  @Override
  protected @Nullable InputStream resource(String file) {
    return TinyQwenVl.class.getResourceAsStream(file);
  }
}
