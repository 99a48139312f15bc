package dev.lmm.tiny.clip;

import dev.lmm.core.hub.ResourceModel;

/** The bundled model {@code tiny-clip}. */
public final class TinyClip extends ResourceModel {
  /** For {@link java.util.ServiceLoader}. */
  public TinyClip() {
    super("tiny-clip");
  }
}
