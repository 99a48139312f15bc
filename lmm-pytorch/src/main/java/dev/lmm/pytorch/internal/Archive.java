package dev.lmm.pytorch.internal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes a TorchScript archive: a zip of the code and of a module without attributes. */
final class Archive {
  private Archive() {}

  /**
   * An archive.
   *
   * @param code the source of the class {@code M}
   * @return the bytes of the zip
   */
  static byte[] of(String code) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      // Stored, not deflated: the reader maps what it needs.
      zip.setMethod(ZipOutputStream.STORED);
      put(zip, "version", "10\n".getBytes(StandardCharsets.US_ASCII));
      // An empty tuple.
      put(zip, "constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
      put(zip, "code/__torch__.py", code.getBytes(StandardCharsets.UTF_8));
      // An object of class __torch__.M whose attributes are an empty dictionary.
      ByteArrayOutputStream data = new ByteArrayOutputStream();
      data.write(new byte[] {(byte) 0x80, 2, 'c'});
      data.write("__torch__\nM\n".getBytes(StandardCharsets.US_ASCII));
      data.write(new byte[] {')', (byte) 0x81, '}', 'b', '.'});
      put(zip, "data.pkl", data.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException("memory cannot be written", e);
    }
    return bytes.toByteArray();
  }

  private static void put(ZipOutputStream zip, String name, byte[] content) throws IOException {
    ZipEntry entry = new ZipEntry("lmm/" + name);
    CRC32 crc = new CRC32();
    crc.update(content);
    entry.setSize(content.length);
    entry.setCompressedSize(content.length);
    entry.setCrc(crc.getValue());
    entry.setTime(0);
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }
}
