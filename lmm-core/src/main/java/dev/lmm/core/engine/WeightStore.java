package dev.lmm.core.engine;

import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.graph.WeightSource;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint's tensors, by name: where they lie and, mapped, what they hold. Thread-safe. Stays
 * open as long as any program compiled from it.
 */
public interface WeightStore extends WeightSource {
  /**
   * Where a tensor lies.
   *
   * @param name its name
   * @return the place
   * @throws dev.lmm.CheckpointException if there is no such tensor
   */
  StoredTensor locate(String name);

  /**
   * What a tensor takes in the checkpoint's files; unlike {@link #locate} it never unpacks one.
   *
   * @param name its name
   * @return bytes
   * @throws dev.lmm.CheckpointException if there is no such tensor
   */
  default long storedBytes(String name) {
    return locate(name).length();
  }

  /**
   * Some bytes of a tensor, mapped, not copied where the machine is little-endian.
   *
   * @param name its name
   * @param offset from the tensor's start, in bytes
   * @param length in bytes, below 2 GiB
   * @return a read-only direct buffer in little-endian order
   * @throws dev.lmm.CheckpointException if there is no such tensor or range
   */
  ByteBuffer map(String name, long offset, int length);

  /**
   * The quantized form in which linear layers are to read a weight. Everything else (a lookup in a
   * table that is also the output layer, for instance) reads the tensor itself.
   *
   * @param ref the weight
   * @return its quantized form, or null if linear layers read the tensor itself
   */
  default @Nullable QuantizedTensor quantized(WeightRef ref) {
    return null;
  }

  /**
   * Some bytes of a piece of a {@link #quantized} weight.
   *
   * @param piece codes, scales or zero points
   * @param offset from the piece's start, in bytes
   * @param length in bytes, below 2 GiB
   * @return a read-only direct buffer in little-endian order
   * @throws dev.lmm.CheckpointException if the piece is not of this store
   */
  default ByteBuffer map(StoredTensor piece, long offset, int length) {
    return map(piece.name(), offset, length);
  }
}
