package dev.lmm.core.vision;

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the orientation out of EXIF or XMP. Never fails: what cannot be read is upright, as a photo
 * with a damaged note is still a photo.
 */
final class Orientation {
  static final int UPRIGHT = 1;
  private static final int TAG = 0x0112;
  private static final Pattern XMP = Pattern.compile("tiff:Orientation(?:=\"|>)([0-9])");

  private Orientation() {}

  /**
   * The orientation in a TIFF structure.
   *
   * @return 1 to 8, or 0 if there is none
   */
  static int ofExif(byte[] exif) {
    int base = 0;
    while (PictureBytes.matches(exif, base, "Exif\0\0")) {
      base += 6;
    }
    if (exif.length - base < 8) {
      return 0;
    }
    boolean little = exif[base] == 'I';
    if (!little && exif[base] != 'M') {
      return 0;
    }
    long directory = base + number(exif, base + 4, 4, little);
    if (directory < base || directory > exif.length - 2) {
      return 0;
    }
    int at = (int) directory;
    int entries = (int) number(exif, at, 2, little);
    at += 2;
    for (int i = 0; i < entries && at <= exif.length - 12; i++, at += 12) {
      if (number(exif, at, 2, little) == TAG && number(exif, at + 4, 4, little) == 1) {
        int type = (int) number(exif, at + 2, 2, little);
        int bytes =
            switch (type) {
              case 1 -> 1;
              case 3 -> 2;
              case 4 -> 4;
              default -> 0;
            };
        long value = bytes == 0 ? 0 : number(exif, at + 8, bytes, little);
        return value >= 1 && value <= 8 ? (int) value : UPRIGHT;
      }
    }
    return 0;
  }

  /**
   * The orientation in an XMP packet.
   *
   * @return 1 to 8, or 0 if there is none
   */
  static int ofXmp(byte[] xmp) {
    Matcher matcher = XMP.matcher(new String(xmp, StandardCharsets.ISO_8859_1));
    if (!matcher.find()) {
      return 0;
    }
    int value = matcher.group(1).charAt(0) - '0';
    return value >= 1 && value <= 8 ? value : UPRIGHT;
  }

  /** EXIF first; XMP where EXIF does not say. */
  static int of(byte[] exif, byte[] xmp) {
    int value = ofExif(exif);
    if (value == 0) {
      value = ofXmp(xmp);
    }
    return value == 0 ? UPRIGHT : value;
  }

  private static long number(byte[] b, int at, int bytes, boolean little) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value = value << 8 | (b[little ? at + bytes - 1 - i : at + i] & 0xFF);
    }
    return value;
  }
}
