package dev.lmm.diffusion.internal;

import dev.lmm.core.family.LoadContext;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Autoencoders that requests name beside the model's own, usually tiny ones. Each is loaded once.
 * Not thread-safe.
 */
final class OtherAutoencoders implements AutoCloseable {
  private final LoadContext context;
  private final int latentSize;
  private final Map<Path, Autoencoder> loaded = new HashMap<>();

  OtherAutoencoders(LoadContext context, int latentSize) {
    this.context = context;
    this.latentSize = latentSize;
  }

  /** The autoencoder of a folder; the model's own if none is named. */
  Autoencoder or(@Nullable Path folder, Autoencoder own) {
    if (folder == null) {
      return own;
    }
    Path key = folder.toAbsolutePath().normalize();
    Autoencoder known = loaded.get(key);
    if (known != null) {
      return known;
    }
    Autoencoder made = Autoencoder.load(context, key, latentSize);
    made.requireLike(own, folder);
    loaded.put(key, made);
    return made;
  }

  @Override
  public void close() {
    loaded.values().forEach(Autoencoder::close);
    loaded.clear();
  }
}
