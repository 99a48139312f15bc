package dev.lmm.core.engine;

import dev.lmm.core.graph.DType;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Where a checkpoint's tensor lies: little-endian elements, row by row, in one stretch of a file.
 *
 * @param name its name
 * @param dtype element type in the file
 * @param shape lengths
 * @param file the file
 * @param offset of the first element, in bytes from the start of the file
 * @param length in bytes
 */
@SuppressWarnings("ArrayRecordComponent") // equals and hashCode compare contents
public record StoredTensor(
    String name, DType dtype, long[] shape, Path file, long offset, long length) {
  @Override
  public boolean equals(Object other) {
    return other instanceof StoredTensor t
        && name.equals(t.name)
        && file.equals(t.file)
        && offset == t.offset
        && length == t.length
        && dtype == t.dtype
        && Arrays.equals(shape, t.shape);
  }

  @Override
  public int hashCode() {
    return name.hashCode() * 31 + Long.hashCode(offset);
  }

  @Override
  public String toString() {
    return name + ": " + dtype + Arrays.toString(shape) + " in " + file + " at " + offset;
  }
}
