package dev.lmm.core.decode;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One thing a cache has read: equal entries in equal places leave equal keys and values. */
final class Entry {
  private final int id;
  private final @Nullable Object key;
  private final int part;
  private final int[] positions;

  Entry(int id, @Nullable Object key, int part, int[] positions) {
    this.id = id;
    this.key = key;
    this.part = part;
    this.positions = positions;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Entry entry
        && id == entry.id
        && part == entry.part
        && Objects.equals(key, entry.key)
        && Arrays.equals(positions, entry.positions);
  }

  @Override
  public int hashCode() {
    return 31 * id + Arrays.hashCode(positions);
  }
}
