package dev.lmm;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * Puts text into PNG files and reads it; written as international text chunks (PNG specification,
 * 11.3.3.4).
 */
final class PngText {
  /** XMP with IPTC's word for what a trained model made. */
  static final String MADE_BY_A_MODEL =
      """
      <?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
      <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
       Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/>
      </rdf:RDF></x:xmpmeta>
      <?xpacket end="w"?>\
      """;

  /** Signature, and the header chunk that always comes first. */
  private static final int AFTER_HEADER = 8 + 4 + 4 + 13 + 4;

  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  private static final Set<String> TEXTS = Set.of("tEXt", "zTXt", "iTXt");

  /** The longest text that is read, in bytes. */
  private static final int MOST = 1 << 20;

  private PngText() {}

  /**
   * The text of a keyword.
   *
   * @throws ImageException if the file is no PNG, is broken before the text, or has none
   */
  static String read(Path file, String keyword) {
    try (FileChannel channel = FileChannel.open(file)) {
      long at = SIGNATURE.length;
      if (!Arrays.equals(bytes(channel, file, 0, SIGNATURE.length), SIGNATURE)) {
        throw new ImageException(file + ": is no PNG file; only those carry a request");
      }
      while (at + 12 <= channel.size()) {
        ByteBuffer head = ByteBuffer.wrap(bytes(channel, file, at, 8));
        long length = head.getInt() & 0xFFFFFFFFL;
        String type = new String(head.array(), 4, 4, StandardCharsets.ISO_8859_1);
        if (length > channel.size() - at - 12) {
          throw new ImageException(
              file + ": chunk " + type + " has " + length + " bytes; the file ends before");
        }
        if (TEXTS.contains(type) && length <= MOST) {
          byte[] body = bytes(channel, file, at + 8, (int) length);
          String text = text(type, body, keyword);
          if (text != null) {
            return text;
          }
        }
        at += 12 + length;
      }
    } catch (NoSuchFileException e) {
      throw new ImageException(file + ": no such file", e);
    } catch (IOException | DataFormatException e) {
      throw new ImageException(file + ": cannot be read: " + e.getMessage(), e);
    }
    throw new ImageException(
        file + ": carries no request; expected a text chunk \"" + keyword + "\"");
  }

  private static byte[] bytes(FileChannel channel, Path file, long at, int length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, at + buffer.position()) < 0) {
        throw new ImageException(file + ": ends at byte " + (at + buffer.position()));
      }
    }
    return buffer.array();
  }

  /** The text of a chunk (PNG specification, 11.3.3), or null if its keyword is another. */
  private static @Nullable String text(String type, byte[] body, String keyword)
      throws DataFormatException {
    int end = end(body, 0);
    if (!keyword.equals(new String(body, 0, end, StandardCharsets.ISO_8859_1))) {
      return null;
    }
    int at = end + 1;
    boolean packed = type.equals("zTXt");
    if (type.equals("iTXt")) {
      packed = at < body.length && body[at] == 1;
      // Method, language, keyword in that language.
      at = end(body, end(body, at + 2) + 1) + 1;
    } else if (packed) {
      at++;
    }
    if (at > body.length) {
      throw new DataFormatException("chunk " + type + " ends within its head");
    }
    byte[] text = Arrays.copyOfRange(body, at, body.length);
    return new String(
        packed ? unpacked(text) : text,
        type.equals("iTXt") ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
  }

  private static int end(byte[] body, int from) {
    int at = Math.min(from, body.length);
    while (at < body.length && body[at] != 0) {
      at++;
    }
    return at;
  }

  private static byte[] unpacked(byte[] packed) throws DataFormatException {
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(packed);
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      byte[] some = new byte[1 << 14];
      while (!inflater.finished()) {
        int count = inflater.inflate(some);
        if (count == 0 || all.size() + count > MOST) {
          throw new DataFormatException("a packed text is broken, or longer than " + MOST);
        }
        all.write(some, 0, count);
      }
      return all.toByteArray();
    } finally {
      inflater.end();
    }
  }

  /** Adds a chunk to a file that this library wrote. */
  static void add(Path file, String keyword, String text) {
    try {
      byte[] png = Files.readAllBytes(file);
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      body.writeBytes(("iTXt" + keyword).getBytes(StandardCharsets.ISO_8859_1));
      // End of the keyword; not compressed, no method; no language, no translated keyword.
      body.writeBytes(new byte[] {0, 0, 0, 0, 0});
      body.writeBytes(text.getBytes(StandardCharsets.UTF_8));
      byte[] chunk = body.toByteArray();
      CRC32 crc = new CRC32();
      crc.update(chunk);
      ByteArrayOutputStream all = new ByteArrayOutputStream(png.length + chunk.length + 8);
      DataOutputStream out = new DataOutputStream(all);
      out.write(png, 0, AFTER_HEADER);
      out.writeInt(chunk.length - 4);
      out.write(chunk);
      out.writeInt((int) crc.getValue());
      out.write(png, AFTER_HEADER, png.length - AFTER_HEADER);
      Files.write(file, all.toByteArray());
    } catch (IOException e) {
      throw new ImageException(file + ": cannot be written: " + e.getMessage(), e);
    }
  }
}
