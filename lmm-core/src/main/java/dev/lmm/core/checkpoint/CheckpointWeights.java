package dev.lmm.core.checkpoint;

import dev.lmm.CheckpointException;
import dev.lmm.ClosedException;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of one or several checkpoint files, read where they lie. Thread-safe. Closing gives
 * back the files; mapped memory stays valid.
 */
public final class CheckpointWeights implements WeightStore, AutoCloseable {
  private final String description;
  private final Map<String, StoredTensor> tensors;
  private final Map<Path, FileChannel> channels = new HashMap<>();
  private boolean closed;

  private CheckpointWeights(String description, Map<String, StoredTensor> tensors) {
    this.description = description;
    this.tensors = Collections.unmodifiableMap(tensors);
  }

  /**
   * Opens safetensors files that together make one checkpoint.
   *
   * @param description what to call them in messages: a file or folder name
   * @param files one or more files
   * @return the tensors of all
   * @throws CheckpointException if a file is missing or broken, or a name occurs twice
   */
  public static CheckpointWeights ofSafetensors(String description, List<Path> files) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (Path file : files) {
      for (StoredTensor tensor : Safetensors.read(file)) {
        StoredTensor other = tensors.put(tensor.name(), tensor);
        if (other != null) {
          throw new CheckpointException(
              file + ": " + tensor.name() + " also stands in " + other.file() + "; expected once");
        }
      }
    }
    return new CheckpointWeights(description, tensors);
  }

  @Override
  public long @Nullable [] shape(String name) {
    StoredTensor tensor = tensors.get(name);
    return tensor == null ? null : tensor.shape();
  }

  @Override
  public Set<String> names() {
    return tensors.keySet();
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public StoredTensor locate(String name) {
    StoredTensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new CheckpointException(description + ": there is no tensor " + name);
    }
    return tensor;
  }

  @Override
  public ByteBuffer map(String name, long offset, int length) {
    StoredTensor tensor = locate(name);
    if (offset < 0 || length < 0 || offset > tensor.length() - length) {
      throw new CheckpointException(
          description
              + ": "
              + name
              + " has "
              + tensor.length()
              + " bytes; asked for "
              + length
              + " at "
              + offset);
    }
    try {
      return channel(tensor.file())
          .map(FileChannel.MapMode.READ_ONLY, tensor.offset() + offset, length)
          .order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new CheckpointException(
          tensor.file() + ": " + name + " cannot be mapped: " + e.getMessage(), e);
    }
  }

  private synchronized FileChannel channel(Path file) throws IOException {
    if (closed) {
      throw new ClosedException(description + " was closed");
    }
    FileChannel channel = channels.get(file);
    if (channel == null) {
      channel = FileChannel.open(file, StandardOpenOption.READ);
      channels.put(file, channel);
    }
    return channel;
  }

  @Override
  public synchronized void close() {
    closed = true;
    for (FileChannel channel : channels.values()) {
      try {
        channel.close();
      } catch (IOException ignored) {
        // A file opened for reading: nothing is lost.
      }
    }
    channels.clear();
  }
}
