package dev.lmm.core.quantization;

import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import java.nio.ByteBuffer;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The tensors of a checkpoint, without what it has in few bits. */
class WrappedWeights implements WeightStore {
  final WeightStore checkpoint;

  WrappedWeights(WeightStore checkpoint) {
    this.checkpoint = checkpoint;
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
}
