package dev.lmm.core.quantization;

import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.WeightRef;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint of which some weights also exist in few bits. Thread-safe. Closing gives back the
 * quantized file, not the checkpoint.
 */
public final class QuantizedWeights extends WrappedWeights implements AutoCloseable {
  private final CheckpointWeights file;
  private final Map<WeightRef, QuantizedTensor> quantized;

  QuantizedWeights(
      WeightStore checkpoint, CheckpointWeights file, Map<WeightRef, QuantizedTensor> quantized) {
    super(checkpoint);
    this.file = file;
    this.quantized = Map.copyOf(quantized);
  }

  @Override
  public @Nullable QuantizedTensor quantized(WeightRef ref) {
    QuantizedTensor own = quantized.get(ref);
    return own == null ? checkpoint.quantized(ref) : own;
  }

  @Override
  public ByteBuffer map(StoredTensor piece, long offset, int length) {
    return file.names().contains(piece.name()) && file.locate(piece.name()).equals(piece)
        ? file.map(piece.name(), offset, length)
        : checkpoint.map(piece, offset, length);
  }

  /**
   * Bytes of all quantized weights.
   *
   * @return codes, scales and zero points
   */
  public long bytes() {
    return quantized.values().stream().mapToLong(QuantizedTensor::bytes).sum();
  }

  @Override
  public void close() {
    file.close();
  }
}
