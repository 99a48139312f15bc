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
  BOOL(1),
  /** Unsigned 8 bit. */
  U8(1),
  /** Signed 8 bit. */
  I8(1),
  /** 8-bit float, 5 bits of exponent. */
  F8_E5M2(1),
  /** 8-bit float, 4 bits of exponent. */
  F8_E4M3(1),
  /** Signed 16 bit. */
  I16(2),
  /** Unsigned 16 bit. */
  U16(2),
  /** IEEE half precision. */
  F16(2),
  /** The upper half of a single precision number. */
  BF16(2),
  /** Signed 32 bit. */
  I32(4),
  /** Unsigned 32 bit. */
  U32(4),
  /** IEEE single precision. */
  F32(4),
  /** IEEE double precision. */
  F64(8),
  /** Signed 64 bit. */
  I64(8),
  /** Unsigned 64 bit. */
  U64(8);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /**
   * Size of one element.
   *
   * @return bytes
   */
  public int bytes() {
    return bytes;
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
