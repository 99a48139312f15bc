package dev.lmm.core.checkpoint;

import dev.lmm.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A stretch of a file, read from front to back through a small buffer. Every read is checked
 * against the stretch's end before anything is allocated.
 */
final class ByteSource {
  private final Path file;
  private final String what;
  private final FileChannel channel;
  private final long end;
  private final ByteBuffer buffer =
      ByteBuffer.allocate(1 << 14).order(ByteOrder.LITTLE_ENDIAN).limit(0);
  // Of the byte after the buffer's last, in the file.
  private long next;

  /**
   * A stretch.
   *
   * @param file for messages
   * @param what the part of the file this is, for messages
   * @param channel to read from
   * @param begin first byte
   * @param end byte after the last
   */
  ByteSource(Path file, String what, FileChannel channel, long begin, long end) {
    this.file = file;
    this.what = what;
    this.channel = channel;
    this.next = begin;
    this.end = end;
  }

  /** Position of the next byte, from the start of the file. */
  long position() {
    return next - buffer.remaining();
  }

  long remaining() {
    return end - position();
  }

  int u1() throws IOException {
    return fill(1).get() & 0xff;
  }

  int u2() throws IOException {
    return fill(2).getShort() & 0xffff;
  }

  int i4() throws IOException {
    return fill(4).getInt();
  }

  long u4() throws IOException {
    return fill(4).getInt() & 0xffffffffL;
  }

  long i8() throws IOException {
    return fill(8).getLong();
  }

  /** An IEEE double, high byte first as pickle writes it. */
  double bigEndianDouble() throws IOException {
    return Double.longBitsToDouble(Long.reverseBytes(i8()));
  }

  byte[] bytes(long length, int limit) throws IOException {
    if (length < 0 || length > limit || length > remaining()) {
      throw broken(
          "a value of " + length + " bytes",
          "at most " + Math.max(0, Math.min(limit, remaining())) + " bytes");
    }
    byte[] bytes = new byte[(int) length];
    int done = 0;
    while (done < bytes.length) {
      int step = Math.min(bytes.length - done, buffer.capacity());
      fill(step).get(bytes, done, step);
      done += step;
    }
    return bytes;
  }

  String utf8(long length, int limit) throws IOException {
    byte[] bytes = bytes(length, limit);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw broken("a string that is not UTF-8", "UTF-8");
    }
  }

  /** Text up to a line feed, which is taken but not returned. */
  String line(int limit) throws IOException {
    StringBuilder text = new StringBuilder();
    for (int c = u1(); c != '\n'; c = u1()) {
      if (text.length() == limit) {
        throw broken("a line of more than " + limit + " characters", "a shorter one");
      }
      text.append((char) c);
    }
    return text.toString();
  }

  private ByteBuffer fill(int count) throws IOException {
    if (buffer.remaining() < count) {
      if (remaining() < count) {
        throw broken("the end", count + " more bytes; is the download complete?");
      }
      buffer.compact();
      while (buffer.position() < count) {
        long room = Math.min(buffer.remaining(), end - next);
        int read = channel.read(buffer.limit(buffer.position() + (int) room), next);
        if (read < 0) {
          throw broken("the file's end", "more bytes; is it being written?");
        }
        next += read;
        buffer.limit(buffer.capacity());
      }
      buffer.flip();
    }
    return buffer;
  }

  CheckpointException broken(String found, String expected) {
    return new CheckpointException(
        file + ": " + what + ": " + found + " at byte " + position() + "; expected " + expected);
  }
}
