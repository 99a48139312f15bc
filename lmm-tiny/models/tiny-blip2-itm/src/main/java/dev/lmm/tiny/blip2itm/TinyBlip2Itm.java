package dev.lmm.tiny.blip2itm;

import dev.lmm.core.hub.ResourceModel;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** The bundled model {@code tiny-blip2-itm}. */
public final class TinyBlip2Itm extends ResourceModel {
  /** For {@link java.util.ServiceLoader}. */
  public TinyBlip2Itm() {
    super("tiny-blip2-itm");
  }

  @Override
  protected @Nullable InputStream resource(String file) {
    return TinyBlip2Itm.class.getResourceAsStream(file);
  }
}
