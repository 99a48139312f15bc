package dev.lmm.core.vision;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * The notes of a PNG: texts (tEXt, zTXt, iTXt), two of which can hold the orientation, and the
 * colour profile (iCCP), of which nothing is used.
 *
 * <p>Read, and refused, as by Pillow: unknown compression, what unpacks to more than {@link
 * DecodeLimits#maxChunkBytes}, texts of more than {@link DecodeLimits#maxTextBytes} in all. What is
 * damaged otherwise is passed over. Of a partial picture, a note that is too large is, too.
 */
final class PngNotes {
  private final PictureBytes in;
  private byte[] profileExif = new byte[0];
  private byte[] xmp = new byte[0];
  private long textBytes;

  PngNotes(PictureBytes in) {
    this.in = in;
  }

  /** ImageMagick's copy of EXIF; empty if there is none. */
  byte[] exif() {
    return profileExif;
  }

  /** XMP; empty if there is none. */
  byte[] xmp() {
    return xmp;
  }

  /** Reads a chunk of one of the four types, which lies in the file whole. */
  void read(String type, int start, int length) {
    int end = start + length;
    int zero = zero(start, end);
    switch (type) {
      case "iCCP" -> profile(start, zero, end);
      case "tEXt" -> {
        if (zero > start) {
          int value = Math.min(zero + 1, end);
          count(end - value);
          take(start, zero, Arrays.copyOfRange(in.bytes, value, end));
        }
      }
      case "zTXt" -> deflated(start, zero, end);
      default -> international(start, zero, end);
    }
  }

  private int zero(int from, int end) {
    int zero = from;
    while (zero < end && in.bytes[zero] != 0) {
      zero++;
    }
    return zero;
  }

  private void profile(int start, int zero, int end) {
    int method = zero < end ? zero + 1 : start;
    if (method >= end) {
      throw in.broken("the PNG's colour profile (iCCP) has no content");
    }
    if (in.bytes[method] != 0) {
      throw in.broken("the PNG's colour profile (iCCP) has an unknown compression");
    }
    inflated("iCCP", method + 1, end);
  }

  private void deflated(int start, int zero, int end) {
    byte[] value = new byte[0];
    if (zero + 1 < end) {
      if (in.bytes[zero + 1] != 0) {
        throw in.broken("a text of the PNG (zTXt) has an unknown compression");
      }
      byte[] unpacked = inflated("zTXt", zero + 2, end);
      value = unpacked == null ? value : unpacked;
    }
    if (zero > start) {
      count(value.length);
      take(start, zero, value);
    }
  }

  /** Key, whether it is deflated and how, language, the key in that language, the text. */
  private void international(int start, int zero, int end) {
    int language = zero + 3;
    if (language > end) {
      return;
    }
    int translated = zero(language, end) + 1;
    int text = zero(Math.min(translated, end), end) + 1;
    if (text > end) {
      return;
    }
    byte[] value = null;
    if (in.bytes[zero + 1] == 0) {
      value = Arrays.copyOfRange(in.bytes, text, end);
    } else if (in.bytes[zero + 2] == 0) {
      value = inflated("iTXt", text, end);
    }
    if (value == null) {
      return;
    }
    long characters = characters(ByteBuffer.wrap(value));
    boolean valid =
        characters >= 0 && characters(ByteBuffer.wrap(in.bytes, language, text - language)) >= 0;
    if (valid) {
      count(characters);
    }
    if (valid || isXmp(start, zero)) {
      take(start, zero, value);
    }
  }

  /** The characters of UTF-8; -1 if it is none. */
  private static long characters(ByteBuffer utf8) {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CharBuffer some = CharBuffer.allocate(2048);
    long count = 0;
    while (true) {
      CoderResult result = decoder.decode(utf8, some, true);
      if (result.isError()) {
        return -1;
      }
      for (int i = 0; i < some.position(); i++) {
        count += Character.isLowSurrogate(some.get(i)) ? 0 : 1;
      }
      some.clear();
      if (result.isUnderflow()) {
        return count;
      }
    }
  }

  private void count(long bytes) {
    textBytes += bytes;
    if (textBytes > in.limits.maxTextBytes()) {
      throw in.broken(
          "the texts of the PNG have "
              + textBytes
              + " bytes or more; the limit is "
              + in.limits.maxTextBytes());
    }
  }

  private boolean isXmp(int start, int zero) {
    return key(start, zero).equals("XML:com.adobe.xmp");
  }

  private String key(int start, int zero) {
    // Longer keys are not those that are looked for.
    return new String(in.bytes, start, Math.min(zero - start, 80), StandardCharsets.ISO_8859_1);
  }

  private void take(int start, int zero, byte[] value) {
    if (isXmp(start, zero)) {
      xmp = value;
    } else if (key(start, zero).equals("Raw profile type exif")) {
      profileExif = hexadecimal(value);
    }
  }

  /** Unpacks; null if it is damaged. */
  private byte @Nullable [] inflated(String type, int from, int end) {
    int most = in.limits.maxChunkBytes();
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(in.bytes, from, Math.max(0, end - from));
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] buffer = new byte[8192];
      int n = inflater.inflate(buffer, 0, Math.min(buffer.length, most));
      while (n > 0) {
        out.write(buffer, 0, n);
        n =
            out.size() == most
                ? 0
                : inflater.inflate(buffer, 0, Math.min(buffer.length, most - out.size()));
      }
      if (out.size() == most && !inflater.finished() && inflater.getRemaining() > 0) {
        if (in.partial) {
          return null;
        }
        throw in.broken(
            "a chunk of the PNG (" + type + ") unpacks to more than " + most + " bytes, the limit");
      }
      return inflater.needsDictionary() ? null : out.toByteArray();
    } catch (DataFormatException e) {
      return null;
    } finally {
      inflater.end();
    }
  }

  /** Three lines (a blank one, the name, the length), then hexadecimal digits. */
  private static byte[] hexadecimal(byte[] text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int lines = 0;
    int high = -1;
    for (byte c : text) {
      if (lines < 3) {
        lines += c == '\n' ? 1 : 0;
        continue;
      }
      int digit = Character.digit(c, 16);
      if (digit < 0) {
        continue;
      }
      if (high < 0) {
        high = digit;
      } else {
        out.write(high << 4 | digit);
        high = -1;
      }
    }
    return out.toByteArray();
  }
}
