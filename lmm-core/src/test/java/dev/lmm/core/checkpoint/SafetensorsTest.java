package dev.lmm.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.core.engine.StoredTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rules of the format, each by a file that breaks it alone. */
class SafetensorsTest {
  @TempDir Path folder;

  private Path file(long length, String header, int data) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(8 + text.length + data).order(ByteOrder.LITTLE_ENDIAN);
    return Files.write(folder.resolve("x.safetensors"), out.putLong(length).put(text).array());
  }

  private Path file(String header, int data) throws IOException {
    return file(header.getBytes(StandardCharsets.UTF_8).length, header, data);
  }

  private static void refused(Path file, String message) {
    assertThatThrownBy(() -> Safetensors.read(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(message);
  }

  private static String tensor(String name, int from, int to) {
    return "\"%s\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[%d,%d]}"
        .formatted(name, to - from, from, to);
  }

  private static String header(String... tensors) {
    return "{" + String.join(",", tensors) + "}";
  }

  @Test
  void aFileThatKeepsThemIsRead() throws IOException {
    // In any order, with blanks behind the object, and with tensors of no elements.
    Path file =
        file(
            header(tensor("b", 2, 5), tensor("a", 0, 2), tensor("none", 2, 2))
                .replace("}}", "}}  "),
            5);
    assertThat(Safetensors.read(file))
        .extracting(StoredTensor::name)
        .containsExactly("a", "none", "b");
    assertThat(Safetensors.read(file("{}", 0))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "0, header length is 0; expected 2 to 100000000",
    "1, header length is 1; expected 2 to 100000000",
    "100000001, header length is 100000001; expected 2 to 100000000",
    "-1, header length is -1; expected 2 to 100000000",
    "9223372036854775807, header length is 9223372036854775807",
    "100000000, header length is 100000000",
    "3, 'header length is 3, the file has 2 bytes after it'"
  })
  void lengthsOfHeaders(long length, String message) throws IOException {
    refused(file(length, "{}", 0), message);
  }

  @Test
  void filesWithoutAHeader() throws IOException {
    refused(Files.write(folder.resolve("short"), new byte[7]), "the file has 7 bytes");
    refused(folder.resolve("none.safetensors"), "no such file");
  }

  @Test
  void dataWithoutGapsAndOverlaps() throws IOException {
    refused(
        file(header(tensor("a", 0, 2), tensor("b", 3, 5)), 5),
        "b.data_offsets begin at 3; expected 2, where the tensor before ends");
    refused(
        file(header(tensor("a", 0, 3), tensor("b", 2, 5)), 5),
        "b.data_offsets begin at 2; expected 3, where the tensor before ends");
    refused(
        file(header(tensor("a", 0, 2), tensor("b", 0, 2)), 2),
        "b.data_offsets begin at 0; expected 2");
    refused(file(header(tensor("a", 1, 3)), 3), "a.data_offsets begin at 1; expected 0");
    refused(file(header(tensor("a", 0, 2)), 3), "data has 3 bytes; expected 2");
    refused(file(header(tensor("a", 0, 4)), 3), "a.data_offsets are [0, 4]; expected a range");
    refused(file(header(tensor("a", 0, 2)), 0), "a.data_offsets are [0, 2]; expected a range");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        // Shape times type is not the length.
        "\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,4]|w.data_offsets span 4 bytes; expected 3",
        "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]|w.data_offsets span 4 bytes; expected 8",
        "\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,3]|w.data_offsets span 3 bytes; expected 4",
        "\"dtype\":\"U8\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]|w.shape is [4611686018427387904, 4]",
        "\"dtype\":\"U8\",\"shape\":[9223372036854775808],\"data_offsets\":[0,4]|w.shape holds 9223372036854775808",
        "\"dtype\":\"U8\",\"shape\":[-4],\"data_offsets\":[0,4]|w.shape holds -4",
        "\"dtype\":\"U8\",\"shape\":[4.0],\"data_offsets\":[0,4]|w.shape is 4.0",
        "\"dtype\":\"U8\",\"shape\":[[4]],\"data_offsets\":[0,4]|w.shape is [",
        "\"dtype\":\"U8\",\"shape\":4,\"data_offsets\":[0,4]|w.shape is 4",
        "\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]|w.data_offsets are [4, 0]",
        "\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4,4]|w.data_offsets has more than 2",
        "\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0]|w lacks dtype, shape or two",
        "\"dtype\":\"U8\",\"shape\":[4]|w lacks dtype, shape or two",
        "\"dtype\":8,\"shape\":[4],\"data_offsets\":[0,4]|w.dtype is 8",
        "\"dtype\":\"U9\",\"shape\":[4],\"data_offsets\":[0,4]|w.dtype is U9",
        "\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"more\":1|w.more exists",
        // Names twice, in a tensor and among its texts.
        "\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]|Duplicate field 'dtype'",
        "\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"w\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[4,4]|Duplicate field 'w'",
        "\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"__metadata__\":{\"a\":\"b\",\"a\":\"b\"|Duplicate field 'a'",
        "\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"__metadata__\":{\"a\":1|__metadata__.a is 1",
      })
  void whatATensorSays(String fields, String message) throws IOException {
    refused(file("{\"w\":{" + fields + "}}", 4), message);
  }

  @Test
  void theJsonIsBounded() throws IOException {
    String deep = "[".repeat(9) + "]".repeat(9);
    refused(file("{\"w\":{\"dtype\":" + deep + "}}", 0), "w.dtype is [");
    refused(file("{\"__metadata__\":{\"a\":" + deep + "}}", 0), "__metadata__.a is [");
    String axes = "1,".repeat(32);
    assertThat(
            Safetensors.read(
                file(
                    "{\"w\":{\"dtype\":\"U8\",\"shape\":["
                        + axes.substring(0, 63)
                        + "],\"data_offsets\":[0,1]}}",
                    1)))
        .hasSize(1);
    refused(
        file("{\"w\":{\"dtype\":\"U8\",\"shape\":[" + axes + "1],\"data_offsets\":[0,1]}}", 1),
        "w.shape has more than 32 entries");
    refused(file(header(tensor("w".repeat(10_001), 0, 1)), 1), "no valid JSON");
    refused(
        file(
            "{\"w\":{\"dtype\":\"U8\",\"shape\":[" + "1".repeat(30) + "],\"data_offsets\":[0,1]}}",
            1),
        "");
  }

  @Test
  void nothingButOneObject() throws IOException {
    refused(file(" {}", 0), "header begins with byte 32; expected '{'");
    refused(file("[]", 0), "header begins with byte 91; expected '{'");
    refused(file("{}{}", 0), "header goes on after its object with {");
    refused(file("{} x", 0), "no valid JSON");
    refused(file("{\"w\":1}", 0), "w is 1");
    refused(file("{\"w\":{}", 0), "");
    byte[] latin = "{\"é\":{}}".getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer out = ByteBuffer.allocate(8 + latin.length).order(ByteOrder.LITTLE_ENDIAN);
    refused(Files.write(folder.resolve("latin"), out.putLong(latin.length).put(latin).array()), "");
  }
}
