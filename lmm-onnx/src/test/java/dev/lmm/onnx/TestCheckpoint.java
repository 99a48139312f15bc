package dev.lmm.onnx;

import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.graph.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A safetensors file with one matrix named {@code w}. */
final class TestCheckpoint {
  private TestCheckpoint() {}

  /** Entry i is (i mod 17 - 8) / 8, which every float type holds exactly. */
  static float element(int i) {
    return (i % 17 - 8) / 8f;
  }

  static void write(Path file, DType dtype, int rows, int columns) throws IOException {
    int bytes = rows * columns * dtype.bytes();
    String header =
        "{\"w\":{\"dtype\":\"%s\",\"shape\":[%d,%d],\"data_offsets\":[0,%d]}}"
            .formatted(dtype, rows, columns, bytes);
    // An odd length: the data need not be aligned.
    header += " ".repeat(header.length() % 2 == 0 ? 1 : 2);
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(8 + text.length + bytes).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(text.length).put(text);
    for (int i = 0; i < rows * columns; i++) {
      int bits = Float.floatToRawIntBits(element(i));
      switch (dtype) {
        case F32 -> out.putInt(bits);
        case BF16 -> out.putShort((short) (bits >>> 16));
        case F16 -> out.putShort(half(bits));
        default -> throw new IllegalArgumentException(dtype.toString());
      }
    }
    Files.write(file, out.array());
  }

  /** Half precision of a small number that it holds exactly. */
  private static short half(int bits) {
    if ((bits & 0x7fffffff) == 0) {
      return 0;
    }
    int exponent = (bits >>> 23 & 0xff) - 127 + 15;
    return (short) ((bits >>> 16 & 0x8000) | exponent << 10 | (bits >>> 13 & 0x3ff));
  }

  static CheckpointWeights open(Path file) {
    return CheckpointWeights.ofSafetensors(file.toString(), List.of(file));
  }
}
