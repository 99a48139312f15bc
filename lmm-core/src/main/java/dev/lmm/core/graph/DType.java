package dev.lmm.core.graph;

import org.jspecify.annotations.Nullable;

/**
 * Element types, under the names the safetensors format gives them.
 *
 * <p>Values of a graph use {@link #F32}, {@link #F16}, {@link #BF16}, {@link #I64}, {@link #I32},
 * {@link #U8}, {@link #I8} and {@link #BOOL}; the rest occur in files only.
 */
public enum DType {
  /** One byte, 0 or 1. */
  BOOL(8),
  /** 4-bit float, two to a byte. */
  F4(4),
  /** 6-bit float, 2 bits of exponent; four to three bytes. */
  F6_E2M3(6),
  /** 6-bit float, 3 bits of exponent; four to three bytes. */
  F6_E3M2(6),
  /** Unsigned 8 bit. */
  U8(8),
  /** Signed 8 bit. */
  I8(8),
  /** 8-bit float, 5 bits of exponent. */
  F8_E5M2(8),
  /** 8-bit float, 4 bits of exponent. */
  F8_E4M3(8),
  /** 8 bits of exponent alone: a scale. */
  F8_E8M0(8),
  /** 8-bit float, 4 bits of exponent, one zero, no infinities. */
  F8_E4M3FNUZ(8),
  /** 8-bit float, 5 bits of exponent, one zero, no infinities. */
  F8_E5M2FNUZ(8),
  /** Signed 16 bit. */
  I16(16),
  /** Unsigned 16 bit. */
  U16(16),
  /** IEEE half precision. */
  F16(16),
  /** The upper half of a single precision number. */
  BF16(16),
  /** Signed 32 bit. */
  I32(32),
  /** Unsigned 32 bit. */
  U32(32),
  /** IEEE single precision. */
  F32(32),
  /** IEEE double precision. */
  F64(64),
  /** Two single precision numbers, real and imaginary. */
  C64(64),
  /** Signed 64 bit. */
  I64(64),
  /** Unsigned 64 bit. */
  U64(64);

  private final int bits;

  DType(int bits) {
    this.bits = bits;
  }

  /**
   * Size of one element.
   *
   * @return bits
   */
  public int bits() {
    return bits;
  }

  /**
   * Size of one element.
   *
   * @return bytes; 1 for those of which several share a byte
   */
  public int bytes() {
    return Math.max(1, bits / 8);
  }

  /**
   * Whether values of this type are floating point numbers a graph computes with.
   *
   * @return true for F32, F16 and BF16
   */
  public boolean isFloat() {
    return this == F32 || this == F16 || this == BF16;
  }

  /**
   * Whether values of this type are integers a graph computes with.
   *
   * @return true for I64, I32, I8 and U8
   */
  public boolean isInteger() {
    return this == I64 || this == I32 || this == I8 || this == U8;
  }

  /**
   * The type of a name as it stands in a file.
   *
   * @param name for instance {@code "BF16"}
   * @return the type, or null if there is none of that name
   */
  public static @Nullable DType ofName(String name) {
    for (DType type : values()) {
      if (type.name().equals(name)) {
        return type;
      }
    }
    return null;
  }
}
