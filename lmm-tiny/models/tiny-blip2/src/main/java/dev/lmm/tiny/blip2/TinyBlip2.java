package dev.lmm.tiny.blip2;

import dev.lmm.core.hub.ResourceModel;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** The bundled model {@code tiny-blip2}. */
public final class TinyBlip2 extends ResourceModel {
  /** For {@link java.util.ServiceLoader}. */
  public TinyBlip2() {
    super("tiny-blip2");
  }

  @Override
  protected @Nullable InputStream resource(String file) {
    return TinyBlip2.class.getResourceAsStream(file);
  }
}
