package dev.lmm.search;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReader;
import org.jspecify.annotations.Nullable;

/**
 * The sketches of an index's parts, made when a part is searched for the first time and forgotten
 * with it. Thread-safe.
 */
final class SketchedParts {
  private final Map<Object, Sketches> parts = new ConcurrentHashMap<>();
  private @Nullable Rotation rotation;

  Sketches of(LeafReader part) throws IOException {
    IndexReader.CacheHelper content = part.getCoreCacheHelper();
    Sketches known = parts.get(content.getKey());
    return known == null ? make(part, content) : known;
  }

  /** One thread makes them, others that need a part that is not there wait. */
  private synchronized Sketches make(LeafReader part, IndexReader.CacheHelper content)
      throws IOException {
    Sketches known = parts.get(content.getKey());
    if (known != null) {
      return known;
    }
    if (rotation == null) {
      rotation = new Rotation(Sketches.vectors(part).dimension());
    }
    Sketches made = Sketches.of(part, rotation);
    parts.put(content.getKey(), made);
    content.addClosedListener(parts::remove);
    return made;
  }

  /** How many parts have sketches. */
  int size() {
    return parts.size();
  }
}
