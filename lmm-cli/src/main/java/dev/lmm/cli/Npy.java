package dev.lmm.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Writes NumPy's file format, version 1.0. */
final class Npy {
  private Npy() {}

  static void write(Path file, List<Integer> shape, float[] values) throws IOException {
    String dims = shape.stream().map(d -> d + ",").collect(Collectors.joining(" "));
    String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + dims + "), }";
    // The elements begin at a multiple of 64; a line break ends the header.
    int length = (10 + header.length() + 1 + 63) / 64 * 64 - 10;
    String padded = header + " ".repeat(length - header.length() - 1) + "\n";
    ByteBuffer bytes =
        ByteBuffer.allocate(10 + length + 4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    bytes.putShort((short) length);
    bytes.put(padded.getBytes(StandardCharsets.US_ASCII));
    bytes.asFloatBuffer().put(values);
    Files.write(file, bytes.array());
  }
}
