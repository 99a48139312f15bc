package dev.lmm.fuzz;

import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A safetensors file: its header, and that every tensor lies in the file. */
final class SafetensorsTarget implements Target {
  private static final String GOLDEN = "lmm-core/src/test/resources/bin";
  private final Path file = Seeds.work("safetensors").resolve("model.safetensors");

  @Override
  public void read(byte[] input) {
    Seeds.write(file, input, 0, input.length);
    try (CheckpointWeights weights =
        CheckpointWeights.ofSafetensors(file.toString(), List.of(file))) {
      readAll(weights, input.length);
    }
  }

  /** Checks that every tensor lies in its file, and touches the first one's ends. */
  static void readAll(CheckpointWeights weights, long most) {
    boolean touched = false;
    for (String name : weights.names()) {
      StoredTensor tensor = weights.locate(name);
      if (tensor.offset() < 0
          || tensor.length() < 0
          || tensor.offset() > size(tensor.file()) - tensor.length()) {
        throw new IllegalStateException(name + " lies outside of its file: " + tensor);
      }
      if (!touched && tensor.length() > 0 && tensor.length() <= most) {
        touched = true;
        ByteBuffer mapped = weights.map(name, 0, (int) tensor.length());
        mapped.get(0);
        mapped.get(mapped.limit() - 1);
      }
    }
  }

  private static long size(Path file) {
    return file.toFile().length();
  }

  @Override
  public List<byte[]> seeds() {
    List<byte[]> seeds =
        new ArrayList<>(Seeds.folder(GOLDEN, 20_000, name -> name.endsWith(".safetensors")));
    seeds.add("\10\0\0\0\0\0\0\0{}      ".getBytes(StandardCharsets.ISO_8859_1));
    return seeds;
  }

  @Override
  public List<String> words() {
    return List.of(
        "{",
        "}",
        "[",
        "]",
        "\"",
        ",",
        ":",
        "-1",
        "0",
        "9223372036854775807",
        "18446744073709551616",
        "1e9",
        "null",
        "true",
        "\"dtype\":\"F64\"",
        "\"dtype\":\"BF16\"",
        "\"dtype\":\"F8_E4M3\"",
        "\"shape\":[0]",
        "\"shape\":[4611686018427387904,4]",
        "\"data_offsets\":[0,0]",
        "__metadata__",
        "\\u0000",
        "\\ud800",
        "\0\0\0\0\0\0\0\0",
        "[[[[[[[[[[[[[[[[");
  }
}
