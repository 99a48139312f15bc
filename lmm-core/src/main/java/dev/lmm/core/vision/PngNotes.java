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

/**
 * The notes of a PNG: texts (tEXt, zTXt, iTXt), two of which can hold the orientation, and the
 * colour profile (iCCP), of which nothing is used.
 *
 * <p>Read, and refused, as by Pillow: unknown compression, what unpacks to more than {@link
 * DecodeLimits#maxChunkBytes}, texts of more than {@link DecodeLimits#maxTextBytes} in all. What is
 * damaged otherwise is passed over. Of a partial picture, a note that is too large is, too.
 */
final class PngNotes {
  private static final Place NOWHERE = new Place(0, 0, false);

  private final PictureBytes in;
  private Place profileExif = NOWHERE;
  private Place xmp = NOWHERE;
  private long textBytes;
  // What was unpacked last: one memory for all, however many there are.
  private byte[] unpacked = new byte[0];

  PngNotes(PictureBytes in) {
    this.in = in;
  }

  /** Where the content of a note lies in the file. */
  private record Place(int from, int end, boolean deflated) {}

  /** ImageMagick's copy of EXIF; empty if there is none. */
  byte[] exif() {
    return hexadecimal(content(profileExif));
  }

  /** XMP; empty if there is none. */
  byte[] xmp() {
    return content(xmp);
  }

  private byte[] content(Place place) {
    if (!place.deflated) {
      return Arrays.copyOfRange(in.bytes, place.from, place.end);
    }
    int length = inflate("text", place.from, place.end);
    return Arrays.copyOf(unpacked, Math.max(0, length));
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
          take(start, zero, new Place(value, end, false));
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
    inflate("iCCP", method + 1, end);
  }

  private void deflated(int start, int zero, int end) {
    Place value = NOWHERE;
    int length = 0;
    if (zero + 1 < end) {
      if (in.bytes[zero + 1] != 0) {
        throw in.broken("a text of the PNG (zTXt) has an unknown compression");
      }
      length = inflate("zTXt", zero + 2, end);
      value = length < 0 ? NOWHERE : new Place(zero + 2, end, true);
    }
    if (zero > start) {
      count(Math.max(0, length));
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
    ByteBuffer value;
    boolean deflated = in.bytes[zero + 1] != 0;
    if (deflated) {
      int length = in.bytes[zero + 2] == 0 ? inflate("iTXt", text, end) : -1;
      if (length < 0) {
        return;
      }
      value = ByteBuffer.wrap(unpacked, 0, length);
    } else {
      value = ByteBuffer.wrap(in.bytes, text, end - text);
    }
    long characters = characters(value);
    boolean valid =
        characters >= 0 && characters(ByteBuffer.wrap(in.bytes, language, text - language)) >= 0;
    if (valid) {
      count(characters);
    }
    if (valid || isXmp(start, zero)) {
      take(start, zero, new Place(text, end, deflated));
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

  private void take(int start, int zero, Place value) {
    if (isXmp(start, zero)) {
      xmp = value;
    } else if (key(start, zero).equals("Raw profile type exif")) {
      profileExif = value;
    }
  }

  /** Unpacks into {@link #unpacked}; the length, or -1 if it is damaged. */
  private int inflate(String type, int from, int end) {
    int most = in.limits.maxChunkBytes();
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(in.bytes, from, Math.max(0, end - from));
      int length = 0;
      while (length < most) {
        if (length == unpacked.length) {
          unpacked = Arrays.copyOf(unpacked, (int) Math.min(most, Math.max(8192, 2L * length)));
        }
        int n = inflater.inflate(unpacked, length, Math.min(unpacked.length, most) - length);
        if (n == 0) {
          break;
        }
        length += n;
      }
      if (length == most && !inflater.finished() && inflater.getRemaining() > 0) {
        if (in.partial) {
          return -1;
        }
        throw in.broken(
            "a chunk of the PNG (" + type + ") unpacks to more than " + most + " bytes, the limit");
      }
      return inflater.needsDictionary() ? -1 : length;
    } catch (DataFormatException e) {
      return -1;
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
