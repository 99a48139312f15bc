package dev.lmm.qwenvl.internal;

import dev.lmm.core.engine.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Remembers what the vision tower made of the last pictures and videos. Thread-safe. */
final class FeatureCache {
  private static final int ENTRIES = 16;
  private static final long BYTES = 256L << 20;

  private final Map<Seen.Key, Tensor> kept = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  /** The features of a key, computed unless they are remembered. */
  Tensor get(Seen.Key key, Supplier<Tensor> compute) {
    synchronized (this) {
      Tensor known = kept.get(key);
      if (known != null) {
        return known;
      }
    }
    Tensor made = compute.get();
    synchronized (this) {
      Tensor before = kept.put(key, made);
      bytes += size(made) - (before == null ? 0 : size(before));
      // The newest stays, whatever its size.
      while (kept.size() > 1 && (kept.size() > ENTRIES || bytes > BYTES)) {
        Seen.Key oldest = kept.keySet().iterator().next();
        bytes -= size(kept.remove(oldest));
      }
    }
    return made;
  }

  private static long size(Tensor tensor) {
    return tensor.elements() * 4;
  }
}
