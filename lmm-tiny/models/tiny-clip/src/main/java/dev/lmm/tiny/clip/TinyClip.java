package dev.lmm.tiny.clip;

import dev.lmm.core.hub.ResourceModel;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** The bundled model {@code tiny-clip}. */
public final class TinyClip extends ResourceModel {
  /** For {@link java.util.ServiceLoader}. */
  public TinyClip() {
    super("tiny-clip");
  }

  @Override
  protected @Nullable InputStream resource(String file) {
    return TinyClip.class.getResourceAsStream(file);
  }
}
