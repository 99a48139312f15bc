package dev.lmm.core.checkpoint;

import dev.lmm.CheckpointException;
import dev.lmm.ClosedException;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
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
  private final List<Path> temporaries;
  private boolean closed;

  private CheckpointWeights(
      String description, Map<String, StoredTensor> tensors, List<Path> temporaries) {
    this.description = description;
    this.tensors = Collections.unmodifiableMap(tensors);
    this.temporaries = List.copyOf(temporaries);
  }

  /**
   * Tensors that were found elsewhere.
   *
   * @param description what to call them in messages: a file or folder name
   * @param tensors where each lies; names that differ
   * @return the tensors
   * @throws CheckpointException if a name occurs twice
   */
  public static CheckpointWeights of(String description, List<StoredTensor> tensors) {
    return of(description, tensors, Map.of(), List.of());
  }

  /**
   * Tensors of several files.
   *
   * @param owners the file that counts, by tensor name, where a name occurs in several
   * @param temporaries deleted on closing
   */
  static CheckpointWeights of(
      String description,
      List<StoredTensor> tensors,
      Map<String, String> owners,
      List<Path> temporaries) {
    Map<String, StoredTensor> byName = new LinkedHashMap<>();
    for (StoredTensor tensor : tensors) {
      StoredTensor other = byName.putIfAbsent(tensor.name(), tensor);
      if (other != null) {
        String owner = owners.get(tensor.name());
        boolean here = isIn(tensor, owner);
        if (here == isIn(other, owner)) {
          throw new CheckpointException(
              tensor.file()
                  + ": "
                  + tensor.name()
                  + " also stands in "
                  + other.file()
                  + "; expected once");
        }
        if (here) {
          byName.put(tensor.name(), tensor);
        }
      }
    }
    return new CheckpointWeights(description, byName, temporaries);
  }

  private static boolean isIn(StoredTensor tensor, @Nullable String file) {
    return tensor.file().getFileName().toString().equals(file);
  }

  /**
   * Opens a file that {@code torch.save} has written. Tensors whose strides are not those of rows
   * are copied to a temporary file that closing deletes.
   *
   * @param file for instance {@code pytorch_model.bin}
   * @return its tensors
   * @throws CheckpointException if it is missing or broken, or holds anything but tensors and plain
   *     containers
   */
  public static CheckpointWeights ofTorch(Path file) {
    TorchCheckpoint.Contents contents = TorchCheckpoint.read(file);
    return of(file.toString(), contents.tensors(), Map.of(), temporaries(List.of(contents)));
  }

  /**
   * Opens a single file of tensors by its ending.
   *
   * @param file ends in {@code .safetensors}; everything else is read as {@code torch.save} writes
   * @return its tensors
   * @throws CheckpointException if it is missing or broken
   */
  public static CheckpointWeights ofFile(Path file) {
    return file.toString().endsWith(".safetensors")
        ? ofSafetensors(file.toString(), List.of(file))
        : ofTorch(file);
  }

  static List<Path> temporaries(List<TorchCheckpoint.Contents> contents) {
    List<Path> paths = new ArrayList<>();
    for (TorchCheckpoint.Contents content : contents) {
      if (content.temporary() != null) {
        paths.add(content.temporary());
      }
    }
    return paths;
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
    List<StoredTensor> tensors = new ArrayList<>();
    for (Path file : files) {
      tensors.addAll(Safetensors.read(file));
    }
    return of(description, tensors);
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
    for (Path temporary : temporaries) {
      try {
        Files.deleteIfExists(temporary);
      } catch (IOException e) {
        // Some systems keep mapped files; then it goes when the process does.
        temporary.toFile().deleteOnExit();
      }
    }
  }
}
