package dev.lmm.core.quantization;

import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.WeightRef;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint of which some weights also exist in few bits. Thread-safe. Closing gives back the
 * quantized file, not the checkpoint.
 */
public final class QuantizedWeights implements WeightStore, AutoCloseable {
  private final WeightStore checkpoint;
  private final CheckpointWeights file;
  private final Map<WeightRef, QuantizedTensor> quantized;

  QuantizedWeights(
      WeightStore checkpoint, CheckpointWeights file, Map<WeightRef, QuantizedTensor> quantized) {
    this.checkpoint = checkpoint;
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
  public StoredTensor locate(String name) {
    return checkpoint.locate(name);
  }

  @Override
  public long storedBytes(String name) {
    return checkpoint.storedBytes(name);
  }

  @Override
  public ByteBuffer map(String name, long offset, int length) {
    return checkpoint.map(name, offset, length);
  }

  @Override
  public long @Nullable [] shape(String name) {
    return checkpoint.shape(name);
  }

  @Override
  public Set<String> names() {
    return checkpoint.names();
  }

  @Override
  public String description() {
    return checkpoint.description();
  }

  @Override
  public boolean isOpenEnded() {
    return checkpoint.isOpenEnded();
  }

  @Override
  public void expect(String name, long[] shape) {
    checkpoint.expect(name, shape);
  }

  @Override
  public void close() {
    file.close();
  }
}
