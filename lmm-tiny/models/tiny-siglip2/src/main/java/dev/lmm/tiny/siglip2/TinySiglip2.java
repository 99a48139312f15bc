package dev.lmm.tiny.siglip2;

import dev.lmm.core.hub.ResourceModel;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** The bundled model {@code tiny-siglip2}. */
public final class TinySiglip2 extends ResourceModel {
  /** For {@link java.util.ServiceLoader}. */
  public TinySiglip2() {
    super("tiny-siglip2");
  }

  @Override
  protected @Nullable InputStream resource(String file) {
    return TinySiglip2.class.getResourceAsStream(file);
  }
}
