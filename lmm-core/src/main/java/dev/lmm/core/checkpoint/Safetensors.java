package dev.lmm.core.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.lmm.CheckpointException;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.graph.DType;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the header of a safetensors file: 8 bytes of length, that much JSON, then the elements
 * without gaps. Every rule of the format is enforced.
 *
 * <p>Source: the format description of the safetensors project.
 */
public final class Safetensors {
  /** The longest header the format allows, in bytes. */
  public static final long MAX_HEADER = 100_000_000;

  /** {@code "version "}, with which a file of Git LFS begins that stands for another. */
  private static final long LFS_POINTER = 0x206e6f6973726576L;

  private static final int MAX_RANK = 32;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(8)
                  .maxNameLength(10_000)
                  .maxStringLength(10_000_000)
                  .maxNumberLength(20)
                  .build())
          .build();

  private Safetensors() {}

  /**
   * Reads the header of a file.
   *
   * @param file the file
   * @return its tensors, in the order of their elements
   * @throws CheckpointException if the file is missing or breaks the format; names file and field
   */
  public static List<StoredTensor> read(Path file) {
    return header(file).tensors();
  }

  /**
   * Reads the free texts of a file's header ({@code __metadata__}).
   *
   * @param file the file
   * @return by key; empty if there are none
   * @throws CheckpointException if the file is missing or breaks the format; names file and field
   */
  public static Map<String, String> metadata(Path file) {
    return header(file).metadata();
  }

  private record Header(List<StoredTensor> tensors, Map<String, String> metadata) {}

  private static Header header(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      byte[] begin = size < 8 ? new byte[0] : read(channel, 0, 8).array();
      int length = headerLength(file, begin, size);
      return header(file, read(channel, 8, length).array(), size);
    } catch (NoSuchFileException e) {
      throw new CheckpointException(file + ": no such file", e);
    } catch (JsonProcessingException e) {
      throw new CheckpointException(
          file + ": header is no valid JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The tensors that a file's beginning tells of.
   *
   * @param file the file's name, for messages; it need not be there
   * @param begin the first 8 bytes and the header
   * @param size of the whole file, in bytes
   * @return its tensors, in the order of their elements
   * @throws CheckpointException if the header breaks the format; names file and field
   */
  public static List<StoredTensor> read(Path file, byte[] begin, long size) {
    long length = headerLength(file, begin, size);
    if (length > begin.length - 8) {
      throw broken(file, "header", "ended after " + begin.length + " bytes", length + " and 8");
    }
    try {
      return header(file, Arrays.copyOfRange(begin, 8, 8 + (int) length), size).tensors();
    } catch (IOException e) {
      throw new CheckpointException(file + ": header is no valid JSON: " + e.getMessage(), e);
    }
  }

  /**
   * How long the header is.
   *
   * @param file the file's name, for messages
   * @param begin at least the first 8 bytes
   * @param size of the whole file, in bytes
   * @return bytes after the first 8
   * @throws CheckpointException if that cannot be
   */
  public static int headerLength(Path file, byte[] begin, long size) {
    if (size < 8 || begin.length < 8) {
      throw broken(file, "header", "the file has " + size + " bytes", "at least 8");
    }
    long length = ByteBuffer.wrap(begin).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (length == LFS_POINTER) {
      throw new CheckpointException(
          file
              + ": is a pointer of Git LFS, not the weights; run git lfs pull in its folder, or load"
              + " the model by its hub id");
    }
    if (length < 2 || length > MAX_HEADER) {
      throw broken(file, "header length", "is " + length, "2 to " + MAX_HEADER);
    }
    if (length > size - 8) {
      throw broken(
          file,
          "header length",
          "is " + length + ", the file has " + (size - 8) + " bytes after it",
          "no more; is the download complete?");
    }
    return (int) length;
  }

  private static Header header(Path file, byte[] header, long size) throws IOException {
    if (header[0] != '{') {
      throw broken(file, "header", "begins with byte " + (header[0] & 0xff), "'{'");
    }
    return header(file, header, 8L + header.length, size - 8 - header.length);
  }

  private static ByteBuffer read(FileChannel channel, long position, int length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new EOFException("ended at byte " + (position + buffer.position()));
      }
    }
    return buffer.flip();
  }

  private static Header header(Path file, byte[] header, long base, long dataLength)
      throws IOException {
    List<StoredTensor> tensors = new ArrayList<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    try (JsonParser json = JSON.createParser(header)) {
      expect(file, json, json.nextToken(), JsonToken.START_OBJECT, "header");
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        expect(file, json, json.nextToken(), JsonToken.START_OBJECT, name);
        if (name.equals("__metadata__")) {
          metadata(file, json, metadata);
        } else {
          tensors.add(tensor(file, json, name, base, dataLength));
        }
      }
      expect(file, json, json.currentToken(), JsonToken.END_OBJECT, "header");
      // The format allows blanks after the object, nothing else.
      if (json.nextToken() != null) {
        throw broken(file, "header", "goes on after its object with " + json.getText(), "an end");
      }
    }
    tensors.sort(
        Comparator.comparingLong(StoredTensor::offset).thenComparingLong(StoredTensor::length));
    long end = base;
    for (StoredTensor tensor : tensors) {
      if (tensor.offset() != end) {
        throw broken(
            file,
            tensor.name() + ".data_offsets",
            "begin at " + (tensor.offset() - base),
            (end - base) + ", where the tensor before ends (no gaps, no overlaps)");
      }
      end += tensor.length();
    }
    if (end != base + dataLength) {
      throw broken(
          file,
          "data",
          "has " + dataLength + " bytes",
          (end - base) + ", the sum of all tensors; is the download complete?");
    }
    return new Header(List.copyOf(tensors), Collections.unmodifiableMap(metadata));
  }

  private static void metadata(Path file, JsonParser json, Map<String, String> metadata)
      throws IOException {
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String key = json.currentName();
      expect(file, json, json.nextToken(), JsonToken.VALUE_STRING, "__metadata__." + key);
      metadata.put(key, json.getText());
    }
    expect(file, json, json.currentToken(), JsonToken.END_OBJECT, "__metadata__");
  }

  private static StoredTensor tensor(
      Path file, JsonParser json, String name, long base, long dataLength) throws IOException {
    DType dtype = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String key = json.currentName();
      JsonToken value = json.nextToken();
      switch (key) {
        case "dtype" -> {
          expect(file, json, value, JsonToken.VALUE_STRING, name + ".dtype");
          dtype = DType.ofName(json.getText());
          if (dtype == null) {
            throw broken(file, name + ".dtype", "is " + json.getText(), "a type of the format");
          }
        }
        case "shape" -> shape = numbers(file, json, name + ".shape", MAX_RANK);
        case "data_offsets" -> offsets = numbers(file, json, name + ".data_offsets", 2);
        default -> throw broken(file, name + "." + key, "exists", "no such field");
      }
    }
    expect(file, json, json.currentToken(), JsonToken.END_OBJECT, name);
    if (dtype == null || shape == null || offsets == null || offsets.size() != 2) {
      throw broken(file, name, "lacks dtype, shape or two data_offsets", "all three");
    }
    long begin = offsets.get(0);
    long end = offsets.get(1);
    if (begin > end || end > dataLength) {
      throw broken(
          file,
          name + ".data_offsets",
          "are " + offsets,
          "a range within the " + dataLength + " bytes after the header");
    }
    long[] dims = shape.stream().mapToLong(Long::longValue).toArray();
    long bits = dtype.bits();
    try {
      for (long dim : dims) {
        bits = Math.multiplyExact(bits, dim);
      }
    } catch (ArithmeticException e) {
      throw broken(file, name + ".shape", "is " + shape, "a product below 2^60 bytes");
    }
    if (bits % 8 != 0) {
      throw broken(file, name + ".shape", "is " + shape, "whole bytes of " + dtype);
    }
    long bytes = bits / 8;
    if (bytes != end - begin) {
      throw broken(
          file,
          name + ".data_offsets",
          "span " + (end - begin) + " bytes",
          bytes + " for " + dtype + shape);
    }
    return new StoredTensor(name, dtype, dims, file, base + begin, bytes);
  }

  private static List<Long> numbers(Path file, JsonParser json, String field, int limit)
      throws IOException {
    expect(file, json, json.currentToken(), JsonToken.START_ARRAY, field);
    List<Long> numbers = new ArrayList<>();
    while (json.nextToken() == JsonToken.VALUE_NUMBER_INT) {
      long number;
      try {
        number = json.getLongValue();
      } catch (JsonProcessingException e) {
        throw broken(file, field, "holds " + json.getText(), "numbers below 2^63");
      }
      if (number < 0 || numbers.size() == limit) {
        throw broken(
            file,
            field,
            number < 0 ? "holds " + number : "has more than " + limit + " entries",
            "at most " + limit + " numbers of at least 0");
      }
      numbers.add(number);
    }
    expect(file, json, json.currentToken(), JsonToken.END_ARRAY, field);
    return numbers;
  }

  private static void expect(
      Path file, JsonParser json, JsonToken found, JsonToken expected, String field)
      throws IOException {
    if (found != expected) {
      throw broken(
          file, field, "is " + (found == null ? "missing" : json.getText()), expected.toString());
    }
  }

  private static CheckpointException broken(
      Path file, String field, String found, String expected) {
    return new CheckpointException(file + ": " + field + " " + found + "; expected " + expected);
  }
}
