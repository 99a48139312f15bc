package dev.lmm.core.vision;

import dev.lmm.ImageException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A picture file in memory: reads that never leave it, limits, and messages with its name. */
final class PictureBytes {
  final byte[] bytes;
  final String name;
  final DecodeLimits limits;

  /** Whether a picture whose file ends too early is given as far as it goes. */
  final boolean partial;

  PictureBytes(byte[] bytes, String name, DecodeLimits limits, boolean partial) {
    this.bytes = bytes;
    this.name = name;
    this.limits = limits;
    this.partial = partial;
  }

  int length() {
    return bytes.length;
  }

  int u8(int at) {
    if (at < 0 || at >= bytes.length) {
      throw truncated(at);
    }
    return bytes[at] & 0xFF;
  }

  int u16be(int at) {
    return u8(at) << 8 | u8(at + 1);
  }

  int u16le(int at) {
    return u8(at) | u8(at + 1) << 8;
  }

  /** As an int: values from 2^31 on are negative. */
  int i32be(int at) {
    return u16be(at) << 16 | u16be(at + 2);
  }

  /** As an int: values from 2^31 on are negative. */
  int i32le(int at) {
    return u16le(at) | u16le(at + 2) << 16;
  }

  boolean has(int at, String ascii) {
    return matches(bytes, at, ascii);
  }

  static boolean matches(byte[] bytes, int at, String latin1) {
    byte[] wanted = latin1.getBytes(StandardCharsets.ISO_8859_1);
    if (at < 0 || at > bytes.length - wanted.length) {
      return false;
    }
    for (int i = 0; i < wanted.length; i++) {
      if (bytes[at + i] != wanted[i]) {
        return false;
      }
    }
    return true;
  }

  /** Refuses sizes beyond the limits. */
  void checkSize(long width, long height) {
    if (width < 1 || height < 1) {
      throw broken("the size is " + width + "x" + height + "; expected at least 1x1");
    }
    if (width > limits.maxSide() || height > limits.maxSide()) {
      throw broken(
          "the size is "
              + width
              + "x"
              + height
              + " pixels; the limit is "
              + limits.maxSide()
              + " pixels a side");
    }
    long most = Math.min(limits.maxPixels(), (Integer.MAX_VALUE - 8) / 3);
    if (width * height > most) {
      throw broken(
          "the size is "
              + width
              + "x"
              + height
              + ", "
              + width * height
              + " pixels; the limit is "
              + most);
    }
  }

  ImageException truncated(int at) {
    return broken("the file ends too early: byte " + at + " is asked for, it has " + bytes.length);
  }

  ImageException broken(String what) {
    return broken(what, null);
  }

  ImageException broken(String what, @Nullable Throwable cause) {
    return new ImageException(name + ": " + what, cause);
  }
}
