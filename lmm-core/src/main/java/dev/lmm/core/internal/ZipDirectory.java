package dev.lmm.core.internal;

import dev.lmm.CheckpointException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The central directory of a zip file, for reading stored entries where they lie. {@code
 * java.util.zip} does not say where that is.
 *
 * <p>Source: PKWARE's APPNOTE 6.3.10, sections 4.3.7 to 4.3.16 and 4.5.3.
 */
public final class ZipDirectory {
  // An entry takes 46 bytes and its name; checkpoints have one for each tensor.
  private static final int MAX_DIRECTORY = 32 << 20;
  private static final int END_LENGTH = 22;
  private static final int MAX_COMMENT = 0xffff;
  private static final long U4_MAX = 0xffffffffL;

  /**
   * An entry.
   *
   * @param name its path in the archive
   * @param method 0 if stored, 8 if deflated
   * @param length in the file, in bytes
   * @param header where its local header begins
   */
  public record Entry(String name, int method, long length, long header) {}

  private final Path file;
  private final FileChannel channel;
  private final Map<String, Entry> entries;
  // Where the central directory begins: entries lie before it.
  private final long end;

  private ZipDirectory(Path file, FileChannel channel, Map<String, Entry> entries, long end) {
    this.file = file;
    this.channel = channel;
    this.entries = Collections.unmodifiableMap(entries);
    this.end = end;
  }

  /**
   * Reads the directory of an archive.
   *
   * @param file for messages
   * @param channel the archive; must stay open as long as entries are looked up
   * @return its directory
   * @throws CheckpointException if the archive is broken
   * @throws IOException if it cannot be read
   */
  public static ZipDirectory read(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    int tailLength = (int) Math.min(size, END_LENGTH + MAX_COMMENT);
    ByteBuffer tail = read(channel, size - tailLength, tailLength);
    int at = tailLength - END_LENGTH;
    while (at >= 0
        && !(tail.getInt(at) == 0x06054b50 && at + END_LENGTH + u2(tail, at + 20) == tailLength)) {
      at--;
    }
    if (at < 0) {
      throw broken(file, "has no central directory", "a zip's end; is the download complete?");
    }
    long endRecord = size - tailLength + at;
    long count = u2(tail, at + 10);
    long length = u4(tail, at + 12);
    long begin = u4(tail, at + 16);
    if (u2(tail, at + 4) != 0 || u2(tail, at + 6) != 0) {
      throw broken(file, "is one of several volumes", "a zip in one file");
    }
    if (count == 0xffff || length == U4_MAX || begin == U4_MAX) {
      if (endRecord < 20) {
        throw broken(file, "lacks the 64-bit end locator", "one");
      }
      ByteBuffer locator = read(channel, endRecord - 20, 20);
      if (locator.getInt(0) != 0x07064b50) {
        throw broken(file, "lacks the 64-bit end locator", "one");
      }
      long record = locator.getLong(8);
      if (record < 0 || record > endRecord - 20 - 56) {
        throw broken(file, "has its 64-bit end record at " + record, "a place in the file");
      }
      ByteBuffer wide = read(channel, record, 56);
      if (wide.getInt(0) != 0x06064b50) {
        throw broken(file, "has no 64-bit end record at " + record, "one");
      }
      count = wide.getLong(32);
      length = wide.getLong(40);
      begin = wide.getLong(48);
      endRecord = record;
    }
    if (length < 0 || begin < 0 || begin > endRecord || length > endRecord - begin) {
      throw broken(
          file,
          "has a central directory of " + length + " bytes at " + begin,
          "a place before byte " + endRecord);
    }
    if (length > MAX_DIRECTORY || count < 0 || count > length / 46) {
      throw broken(
          file,
          "has a central directory of " + count + " entries in " + length + " bytes",
          "at most " + MAX_DIRECTORY + " bytes and at least 46 an entry");
    }
    return new ZipDirectory(
        file, channel, entries(file, read(channel, begin, (int) length), (int) count), begin);
  }

  private static Map<String, Entry> entries(Path file, ByteBuffer directory, int count) {
    Map<String, Entry> entries = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      if (directory.remaining() < 46 || directory.getInt(directory.position()) != 0x02014b50) {
        throw broken(file, "has a central directory that ends after " + i, count + " entries");
      }
      int at = directory.position();
      int flags = u2(directory, at + 8);
      int method = u2(directory, at + 10);
      long packed = u4(directory, at + 20);
      long plain = u4(directory, at + 24);
      int nameLength = u2(directory, at + 28);
      int extraLength = u2(directory, at + 30);
      int commentLength = u2(directory, at + 32);
      long header = u4(directory, at + 42);
      if (directory.remaining() - 46 < nameLength + extraLength + commentLength) {
        throw broken(file, "has a central directory that ends within entry " + i, "all of it");
      }
      byte[] bytes = new byte[nameLength];
      directory.get(at + 46, bytes);
      String name = new String(bytes, StandardCharsets.UTF_8);
      int extra = at + 46 + nameLength;
      int extraEnd = extra + extraLength;
      boolean wide = plain == U4_MAX || packed == U4_MAX || header == U4_MAX;
      while (wide && extra + 4 <= extraEnd) {
        int id = u2(directory, extra);
        int field = extra + 4;
        int fieldEnd = field + u2(directory, extra + 2);
        if (fieldEnd > extraEnd) {
          break;
        }
        if (id == 1) {
          // Only the fields that do not fit above are there, in this order.
          if (plain == U4_MAX && field + 8 <= fieldEnd) {
            plain = directory.getLong(field);
            field += 8;
          }
          if (packed == U4_MAX && field + 8 <= fieldEnd) {
            packed = directory.getLong(field);
            field += 8;
          }
          if (header == U4_MAX && field + 8 <= fieldEnd) {
            header = directory.getLong(field);
          }
          break;
        }
        extra = fieldEnd;
      }
      if ((flags & 1) != 0) {
        throw broken(file, "has the encrypted entry " + name, "a plain one");
      }
      if (plain < 0 || packed < 0 || header < 0 || (method == 0 && plain != packed)) {
        throw broken(
            file,
            name + " has " + plain + " bytes in " + packed + " at " + header,
            "equal lengths of a stored entry");
      }
      if (entries.put(name, new Entry(name, method, packed, header)) != null) {
        throw broken(file, "has two entries " + name, "one");
      }
      directory.position(at + 46 + nameLength + extraLength + commentLength);
    }
    return entries;
  }

  /**
   * All entries.
   *
   * @return by name, in the order of the directory
   */
  public Map<String, Entry> entries() {
    return entries;
  }

  /**
   * An entry.
   *
   * @param name its path in the archive
   * @return the entry, or null if there is none
   */
  public @Nullable Entry find(String name) {
    return entries.get(name);
  }

  /**
   * Where the central directory begins.
   *
   * @return the byte after the last that entries may have
   */
  public long end() {
    return end;
  }

  /**
   * Where a stored entry's bytes begin.
   *
   * @param entry one of {@link #entries()}
   * @param stored what to expect of an entry that is compressed, for the message
   * @return its first byte's place in the file
   * @throws CheckpointException if it is compressed, or does not lie in the archive
   * @throws IOException if its header cannot be read
   */
  public long offset(Entry entry, String stored) throws IOException {
    if (entry.method() != 0) {
      throw broken(file, entry.name() + " is compressed (method " + entry.method() + ")", stored);
    }
    if (entry.header() > end - 30) {
      throw broken(
          file, entry.name() + " begins at " + entry.header(), "a place before byte " + end);
    }
    ByteBuffer header = read(channel, entry.header(), 30);
    long offset = entry.header() + 30L + u2(header, 26) + u2(header, 28);
    if (header.getInt(0) != 0x04034b50 || offset > end || entry.length() > end - offset) {
      throw broken(
          file,
          entry.name() + " has no header at " + entry.header() + " or ends after byte " + end,
          "an entry before the central directory");
    }
    return offset;
  }

  private static int u2(ByteBuffer buffer, int at) {
    return buffer.getShort(at) & 0xffff;
  }

  private static long u4(ByteBuffer buffer, int at) {
    return buffer.getInt(at) & U4_MAX;
  }

  private static ByteBuffer read(FileChannel channel, long position, int length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new EOFException("ended at byte " + (position + buffer.position()));
      }
    }
    return buffer.flip();
  }

  private static CheckpointException broken(Path file, String found, String expected) {
    return new CheckpointException(file + ": " + found + "; expected " + expected);
  }
}
