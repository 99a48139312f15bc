package dev.lmm.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.core.graph.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files beyond 2 and 4 GiB, tensors beyond 2^31 elements, all types of the format. */
class LargeFileTest {
  private static final long GIB = 1L << 30;

  @TempDir private Path folder;

  /** A file with holes, which take no room on the disk. */
  private FileChannel sparse(Path file) throws IOException {
    return FileChannel.open(
        file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE);
  }

  private static ByteBuffer header(String json) {
    byte[] text = json.getBytes(StandardCharsets.UTF_8);
    ByteBuffer header = ByteBuffer.allocate(8 + text.length).order(ByteOrder.LITTLE_ENDIAN);
    return header.putLong(text.length).put(text).flip();
  }

  private static ByteBuffer bytes(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length);
    for (int value : values) {
      bytes.put((byte) value);
    }
    return bytes.flip();
  }

  @Test
  void tensorsLieBeyondTwoAndFourGibibytes() throws IOException {
    Path file = folder.resolve("model.safetensors");
    long wide = 5 * GIB / 2; // of 16 bits: 2^31 elements and a quarter more
    long end = 2 * wide + 2 * GIB;
    ByteBuffer header =
        header(
            """
            {"bytes":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]},\
            "wide":{"dtype":"BF16","shape":[%d,1024],"data_offsets":[%d,%d]},\
            "last":{"dtype":"F32","shape":[2],"data_offsets":[%d,%d]}}"""
                .formatted(2 * GIB, 2 * GIB, wide / 1024, 2 * GIB, end, end, end + 8));
    int base = header.remaining();
    try (FileChannel out = sparse(file)) {
      out.write(header, 0);
      out.write(bytes(1, 2, 3), base + 2 * GIB - 3);
      // The last but one row of the wide tensor, behind 2^31 elements and 6 GiB.
      out.write(bytes(0x80, 0x3f, 0, 0x40), base + end - 2 * 2048);
      out.write(bytes(0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40), base + end);
    }
    assertThat(Files.size(file)).isGreaterThan(6 * GIB);
    try (CheckpointWeights weights =
        CheckpointWeights.ofSafetensors(file.toString(), List.of(file))) {
      assertThat(weights.locate("wide").offset()).isEqualTo(base + 2 * GIB);
      assertThat(weights.locate("wide").length()).isEqualTo(2 * wide);
      assertThat(weights.locate("last").offset()).isEqualTo(base + end);
      ByteBuffer tail = weights.map("bytes", 2 * GIB - 4, 4);
      assertThat(new byte[] {tail.get(), tail.get(), tail.get(), tail.get()})
          .containsExactly(0, 1, 2, 3);
      ByteBuffer row = weights.map("wide", 2 * wide - 2 * 2048, 2048);
      assertThat(Float.intBitsToFloat(row.getShort(0) << 16)).isEqualTo(1);
      assertThat(Float.intBitsToFloat(row.getShort(2) << 16)).isEqualTo(2);
      assertThat(row.getShort(4)).isZero();
      assertThat(weights.map("last", 0, 8).getFloat(0)).isEqualTo(3);
      assertThat(weights.map("last", 0, 8).getFloat(4)).isEqualTo(4);
      assertThatThrownBy(() -> weights.map("wide", 2 * wide - 3, 4))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("wide has 5368709120 bytes; asked for 4 at 5368709117");
    }
  }

  /** What the format's own library (0.8.0) knows, with the size of eight elements in bytes. */
  @ParameterizedTest
  @CsvSource({
    "BOOL, 8",
    "F4, 4",
    "F6_E2M3, 6",
    "F6_E3M2, 6",
    "U8, 8",
    "I8, 8",
    "F8_E5M2, 8",
    "F8_E4M3, 8",
    "F8_E8M0, 8",
    "F8_E4M3FNUZ, 8",
    "F8_E5M2FNUZ, 8",
    "I16, 16",
    "U16, 16",
    "F16, 16",
    "BF16, 16",
    "I32, 32",
    "U32, 32",
    "F32, 32",
    "C64, 64",
    "F64, 64",
    "I64, 64",
    "U64, 64"
  })
  void everyTypeOfTheFormatIsRecognised(String type, int size) throws IOException {
    Path file = folder.resolve("one.safetensors");
    for (int wrong = -1; wrong <= 1; wrong++) {
      int length = size + wrong;
      ByteBuffer header =
          header(
              "{\"w\":{\"dtype\":\"%s\",\"shape\":[2,4],\"data_offsets\":[0,%d]}}"
                  .formatted(type, length));
      byte[] whole = new byte[header.remaining() + length];
      header.get(whole, 0, header.remaining());
      Files.write(file, whole);
      if (wrong == 0) {
        assertThat(Safetensors.read(file).get(0).dtype()).isEqualTo(DType.valueOf(type));
      } else {
        assertThatThrownBy(() -> Safetensors.read(file))
            .isInstanceOf(CheckpointException.class)
            .hasMessageContaining("w.data_offsets span " + length + " bytes; expected " + size);
      }
    }
  }

  @Test
  void halfBytesAndUnknownTypesAreRefused() throws IOException {
    Path file = folder.resolve("one.safetensors");
    Files.write(
        file, header("{\"w\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,0]}}").array());
    assertThatThrownBy(() -> Safetensors.read(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("w.shape is [3]; expected whole bytes of F4");
    Files.write(
        file, header("{\"w\":{\"dtype\":\"F2\",\"shape\":[8],\"data_offsets\":[0,0]}}").array());
    assertThatThrownBy(() -> Safetensors.read(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("w.dtype is F2; expected a type of the format");
  }
}
