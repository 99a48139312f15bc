package dev.lmm;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;

/** Puts text into PNG files, as international text chunks (PNG specification, 11.3.3.4). */
final class PngText {
  /** XMP with IPTC's word for what a trained model made. */
  static final String MADE_BY_A_MODEL =
      """
      <?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
      <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
       Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/>
      </rdf:RDF></x:xmpmeta>
      <?xpacket end="w"?>""";

  /** Signature, and the header chunk that always comes first. */
  private static final int AFTER_HEADER = 8 + 4 + 4 + 13 + 4;

  private PngText() {}

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
