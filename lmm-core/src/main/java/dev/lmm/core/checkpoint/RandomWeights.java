package dev.lmm.core.checkpoint;

import dev.lmm.CheckpointException;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Made-up weights for a model whose checkpoint has none: each tensor a model asks for comes into
 * being in a temporary file, the same for the same seed and name. Matrices keep the size of what
 * they multiply, norms are near 1, biases near 0, so that activations stay in range. Thread-safe.
 * Closing removes the file.
 */
public final class RandomWeights implements WeightStore, AutoCloseable {
  private final long seed;
  private final Path file;
  private final FileChannel channel;
  private final Map<String, long[]> shapes = new LinkedHashMap<>();
  private final Map<String, StoredTensor> stored = new LinkedHashMap<>();
  private long end;

  /**
   * Begins with no tensor.
   *
   * @param seed of the random numbers
   */
  public RandomWeights(long seed) {
    this.seed = seed;
    try {
      this.file = Files.createTempFile("lmm-random-weights", ".bin");
      this.channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new UncheckedIOException("No temporary file for random weights", e);
    }
  }

  @Override
  public boolean isOpenEnded() {
    return true;
  }

  @Override
  public synchronized void expect(String name, long[] shape) {
    shapes.putIfAbsent(name, shape.clone());
  }

  @Override
  public synchronized long @Nullable [] shape(String name) {
    return shapes.get(name);
  }

  @Override
  public synchronized Set<String> names() {
    return Collections.unmodifiableSet(new LinkedHashMap<>(shapes).keySet());
  }

  @Override
  public String description() {
    return "random weights (seed " + seed + ")";
  }

  @Override
  public synchronized StoredTensor locate(String name) {
    StoredTensor known = stored.get(name);
    if (known != null) {
      return known;
    }
    long[] shape = shapes.get(name);
    if (shape == null) {
      throw new CheckpointException(description() + ": nobody asked for " + name);
    }
    try {
      StoredTensor made = write(name, shape);
      stored.put(name, made);
      return made;
    } catch (IOException e) {
      throw new CheckpointException(file + ": cannot be written: " + e.getMessage(), e);
    }
  }

  private StoredTensor write(String name, long[] shape) throws IOException {
    long elements = 1;
    for (long dim : shape) {
      elements = Math.multiplyExact(elements, dim);
    }
    double center = 0;
    double spread;
    if (shape.length >= 2) {
      spread = 1 / Math.sqrt((double) elements / shape[0]);
    } else if (shape.length == 1 && name.endsWith("weight")) {
      center = 1;
      spread = 0.1;
    } else {
      spread = 0.02;
    }
    SplittableRandom random = new SplittableRandom(seed * 31 + name.hashCode());
    ByteBuffer chunk = ByteBuffer.allocateDirect(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    // 64-byte alignment lets an engine use the file in place.
    long begin = (end + 63) / 64 * 64;
    long position = begin;
    for (long i = 0; i < elements; i++) {
      if (!chunk.hasRemaining()) {
        position = flush(chunk, position);
      }
      // The sum of four uniforms is near enough to a normal, at a tenth of the price.
      long bits = random.nextLong();
      double sum =
          ((bits & 0xffff) + (bits >>> 16 & 0xffff) + (bits >>> 32 & 0xffff) + (bits >>> 48))
                  / 65536.0
              - 2;
      chunk.putFloat((float) (center + spread * sum * Math.sqrt(3)));
    }
    end = flush(chunk, position);
    return new StoredTensor(name, DType.F32, shape, file, begin, end - begin);
  }

  private long flush(ByteBuffer chunk, long position) throws IOException {
    chunk.flip();
    while (chunk.hasRemaining()) {
      position += channel.write(chunk, position);
    }
    chunk.clear();
    return position;
  }

  @Override
  public ByteBuffer map(String name, long offset, int length) {
    StoredTensor tensor = locate(name);
    if (offset < 0 || length < 0 || offset > tensor.length() - length) {
      throw new CheckpointException(
          description() + ": " + name + " has " + tensor.length() + " bytes");
    }
    try {
      return channel
          .map(FileChannel.MapMode.READ_ONLY, tensor.offset() + offset, length)
          .order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new CheckpointException(file + ": cannot be mapped: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
      Files.deleteIfExists(file);
    } catch (IOException ignored) {
      file.toFile().deleteOnExit();
    }
  }
}
