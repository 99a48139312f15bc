package dev.lmm.core.engine.reference;

import dev.lmm.CheckpointException;
import dev.lmm.core.engine.StoredFloats;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightRef;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Reads weights from a checkpoint, whatever type they are stored in. */
final class WeightReader {
  /** Elements mapped at once, so that tensors of any size can be read. */
  private static final int CHUNK = 1 << 22;

  private WeightReader() {}

  /**
   * Reads a weight.
   *
   * @param value a weight of a graph, of a floating point type
   * @param store the checkpoint
   * @return its elements
   */
  static Elements read(Value value, WeightStore store) {
    WeightRef ref = value.weight();
    StoredTensor stored = store.locate(ref.name());
    if (!Arrays.equals(stored.shape(), ref.stored())) {
      throw new CheckpointException(
          store.description()
              + ": "
              + ref.name()
              + " is "
              + Arrays.toString(stored.shape())
              + ", the graph expects "
              + Arrays.toString(ref.stored()));
    }
    int size = stored.dtype().bytes();
    long begin = ref.rowStart() * ref.rowElements();
    int[] shape = Layout.ints(ref.view());
    float[] data = new float[Layout.count(shape)];
    for (int done = 0; done < data.length; done += CHUNK) {
      int count = Math.min(CHUNK, data.length - done);
      ByteBuffer bytes =
          store.map(ref.name(), (begin + done) * size, count * size).order(ByteOrder.LITTLE_ENDIAN);
      StoredFloats.convert(stored, bytes, data, done, count);
    }
    if (!ref.transpose()) {
      return Elements.of(value.dtype(), shape, data);
    }
    int[] range = {Math.toIntExact(ref.rows()), Math.toIntExact(ref.rowElements())};
    Elements turned = Shapes.transpose(Elements.of(value.dtype(), range, data), new int[] {1, 0});
    return turned.as(shape);
  }
}
