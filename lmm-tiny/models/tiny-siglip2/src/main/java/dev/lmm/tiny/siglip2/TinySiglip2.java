package dev.lmm.tiny.siglip2;

import dev.lmm.core.hub.ResourceModel;

/** The bundled model {@code tiny-siglip2}. */
public final class TinySiglip2 extends ResourceModel {
  /** For {@link java.util.ServiceLoader}. */
  public TinySiglip2() {
    super("tiny-siglip2");
  }
}
