package dev.lmm.core.checkpoint;

import dev.lmm.CheckpointException;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.graph.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Writes tensors of any strides, their elements in order, into a temporary file. The file is made
 * with the first tensor and deleted on closing, unless it is kept.
 */
final class StridedCopy implements AutoCloseable {
  private static final int CHUNK = 1 << 20;

  private final Path source;
  private final FileChannel channel;
  private @Nullable Path file;
  private @Nullable FileChannel out;
  private long written;
  private boolean kept;

  StridedCopy(Path source, FileChannel channel) {
    this.source = source;
    this.channel = channel;
  }

  /**
   * Copies a tensor.
   *
   * @param shape lengths, none 0
   * @param strides in elements, at least 0, all reaching elements within the source
   * @param begin of the first element, in bytes from the start of the source
   * @return where it lies now
   */
  StoredTensor write(String name, DType dtype, long[] shape, long[] strides, long begin)
      throws IOException {
    int bytes = dtype.bytes();
    long span = bytes;
    long length = bytes;
    for (int i = 0; i < shape.length; i++) {
      span += (shape[i] - 1) * strides[i] * bytes;
      length *= shape[i];
    }
    if (span > Integer.MAX_VALUE) {
      throw new CheckpointException(
          source
              + ": "
              + name
              + " has strides that are not those of rows, over "
              + span
              + " bytes; at most "
              + Integer.MAX_VALUE
              + " are put in order here: save its contiguous() form");
    }
    // Several views of one storage could otherwise fill a disk.
    if (written + length > channel.size()) {
      throw new CheckpointException(
          source
              + ": "
              + name
              + " and others have strides that are not those of rows, "
              + (written + length)
              + " bytes in all; expected no more than the file has");
    }
    FileChannel target = open();
    // Elements of 8 bytes begin at multiples of 8 whatever came before.
    long offset = (written + 63) & ~63L;
    ByteBuffer in = channel.map(FileChannel.MapMode.READ_ONLY, begin, span);
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(length, CHUNK));
    long[] index = new long[shape.length];
    long position = 0;
    long at = offset;
    for (long left = length; left > 0; left -= bytes) {
      for (int b = 0; b < bytes; b++) {
        buffer.put(in.get((int) position + b));
      }
      if (!buffer.hasRemaining() || left == bytes) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          at += target.write(buffer, at);
        }
        buffer.clear();
      }
      for (int axis = shape.length - 1; axis >= 0; axis--) {
        position += strides[axis] * bytes;
        if (++index[axis] < shape[axis]) {
          break;
        }
        position -= shape[axis] * strides[axis] * bytes;
        index[axis] = 0;
      }
    }
    written = at;
    return new StoredTensor(name, dtype, shape, open(file), offset, length);
  }

  private FileChannel open() throws IOException {
    if (out == null) {
      file = Files.createTempFile("lmm-", ".weights");
      out = FileChannel.open(file, StandardOpenOption.WRITE);
    }
    return out;
  }

  private static Path open(@Nullable Path file) {
    if (file == null) {
      throw new IllegalStateException("The file is made before anything is written");
    }
    return file;
  }

  /** Leaves the file to the caller, who deletes it; null if nothing was written. */
  @Nullable Path keep() {
    kept = true;
    return file;
  }

  @Override
  public void close() throws IOException {
    if (out != null) {
      out.close();
    }
    if (file != null && !kept) {
      Files.deleteIfExists(file);
    }
  }
}
