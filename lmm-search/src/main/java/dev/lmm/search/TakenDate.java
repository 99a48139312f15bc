package dev.lmm.search;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * When a picture was taken, from the EXIF notes of a JPEG, PNG, WebP or TIFF file. Never fails: a
 * picture with damaged notes has none.
 */
final class TakenDate {
  private static final int DATE_TIME = 0x0132;
  private static final int EXIF_DIRECTORY = 0x8769;
  private static final int DATE_TIME_ORIGINAL = 0x9003;
  private static final int ASCII = 2;

  /** {@code 2024:07:01 12:30:00} and a zero byte. */
  private static final int DATE_LENGTH = 20;

  /** Of segments, chunks and entries: enough for any picture, little for a made-up one. */
  private static final int MOST_PARTS = 4096;

  private static final Pattern DATE =
      Pattern.compile("(\\d{4})[:-](\\d\\d)[:-](\\d\\d)[ T](\\d\\d):(\\d\\d):(\\d\\d).*");

  private final FileChannel file;

  /** Where the notes begin; offsets in them count from here. */
  private long base;

  private ByteOrder order = ByteOrder.BIG_ENDIAN;

  private TakenDate(FileChannel file) {
    this.file = file;
  }

  /** The date in a file's notes, or null. */
  static @Nullable LocalDateTime of(Path picture) {
    try (FileChannel file = FileChannel.open(picture)) {
      return new TakenDate(file).find();
    } catch (IOException | DateTimeException e) {
      return null;
    }
  }

  private @Nullable LocalDateTime find() throws IOException {
    String start = text(0, 12);
    if (start.startsWith("\u00ff\u00d8")) {
      base = inJpeg();
    } else if (start.startsWith("\u0089PNG\r\n\u001a\n")) {
      base = inChunks(8, "eXIf", ByteOrder.BIG_ENDIAN, 4, 0, 12, 1);
    } else if (start.startsWith("RIFF") && start.endsWith("WEBP")) {
      base = inChunks(12, "EXIF", ByteOrder.LITTLE_ENDIAN, 0, 4, 8, 2);
    } else if (!start.startsWith("II") && !start.startsWith("MM")) {
      return null;
    }
    if (base < 0) {
      return null;
    }
    if (text(base, 6).equals("Exif\0\0")) {
      base += 6;
    }
    String bytes = text(base, 2);
    if (!bytes.equals("II") && !bytes.equals("MM")) {
      return null;
    }
    order = bytes.equals("II") ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    return inDirectories();
  }

  /** Where the first segment with EXIF begins, after its length; -1 if there is none. */
  private long inJpeg() throws IOException {
    long at = 2;
    for (int i = 0; i < MOST_PARTS; i++) {
      int marker = (int) number(at, 2);
      if (marker < 0xFF01 || marker == 0xFFDA || marker == 0xFFD9) {
        return -1;
      }
      if (marker == 0xFFE1 && text(at + 4, 6).equals("Exif\0\0")) {
        return at + 4;
      }
      at += 2 + number(at + 2, 2);
    }
    return -1;
  }

  /** Where the content of a chunk begins; -1 if there is none. */
  private long inChunks(
      long first, String wanted, ByteOrder order, int name, int size, int frame, int even)
      throws IOException {
    this.order = order;
    long at = first;
    for (int i = 0; i < MOST_PARTS && at < file.size(); i++) {
      long length = number(at + size, 4);
      if (text(at + name, 4).equals(wanted)) {
        return at + 8;
      }
      at += frame + (length + even - 1) / even * even;
    }
    return -1;
  }

  private @Nullable LocalDateTime inDirectories() throws IOException {
    long first = number(base + 4, 4);
    LocalDateTime changed = null;
    long exif = 0;
    int count = (int) number(base + first, 2);
    for (int i = 0; i < count; i++) {
      long entry = base + first + 2 + 12L * i;
      int tag = (int) number(entry, 2);
      if (tag == DATE_TIME) {
        changed = date(entry);
      } else if (tag == EXIF_DIRECTORY) {
        exif = number(entry + 8, 4);
      }
    }
    if (exif != 0) {
      int notes = (int) number(base + exif, 2);
      for (int i = 0; i < notes; i++) {
        long entry = base + exif + 2 + 12L * i;
        if (number(entry, 2) == DATE_TIME_ORIGINAL) {
          LocalDateTime taken = date(entry);
          return taken == null ? changed : taken;
        }
      }
    }
    return changed;
  }

  private @Nullable LocalDateTime date(long entry) throws IOException {
    if (number(entry + 2, 2) != ASCII || number(entry + 4, 4) < DATE_LENGTH - 1) {
      return null;
    }
    Matcher date = DATE.matcher(text(base + number(entry + 8, 4), DATE_LENGTH - 1));
    if (!date.matches()) {
      return null;
    }
    int[] parts = new int[6];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = Integer.parseInt(date.group(i + 1));
    }
    if (parts[0] == 0) {
      return null; // a camera whose clock was never set
    }
    return LocalDateTime.of(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
  }

  private String text(long at, int length) throws IOException {
    return StandardCharsets.ISO_8859_1.decode(bytes(at, length)).toString();
  }

  private long number(long at, int length) throws IOException {
    ByteBuffer bytes = bytes(at, length);
    return length == 2 ? bytes.getShort() & 0xFFFF : bytes.getInt() & 0xFFFF_FFFFL;
  }

  private ByteBuffer bytes(long at, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(order);
    while (bytes.hasRemaining()) {
      if (file.read(bytes, at + bytes.position()) < 0) {
        throw new IOException("ends too early");
      }
    }
    return bytes.flip();
  }
}
