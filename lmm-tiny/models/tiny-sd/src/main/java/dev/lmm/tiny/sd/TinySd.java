package dev.lmm.tiny.sd;

import dev.lmm.core.hub.ResourceModel;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** The bundled model {@code tiny-sd}. */
public final class TinySd extends ResourceModel {
  /** For {@link java.util.ServiceLoader}. */
  public TinySd() {
    super("tiny-sd");
  }

  @Override
  protected @Nullable InputStream resource(String file) {
    return TinySd.class.getResourceAsStream(file);
  }
}
