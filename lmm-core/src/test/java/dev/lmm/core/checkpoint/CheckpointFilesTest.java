package dev.lmm.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.graph.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which files of a folder make a checkpoint. */
class CheckpointFilesTest {
  @TempDir Path folder;

  /** A safetensors file; each tensor is one byte, whose value is given. */
  private void safetensors(String file, Object... namesAndBytes) throws IOException {
    StringBuilder header = new StringBuilder("{");
    byte[] data = new byte[namesAndBytes.length / 2];
    for (int i = 0; i < data.length; i++) {
      header.append(i == 0 ? "" : ",");
      header.append('"').append(namesAndBytes[2 * i]);
      header.append(
          "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[" + i + "," + (i + 1) + "]}");
      data[i] = ((Integer) namesAndBytes[2 * i + 1]).byteValue();
    }
    byte[] text = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer out =
        ByteBuffer.allocate(8 + text.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(folder.resolve(file), out.putLong(text.length).put(text).put(data).array());
  }

  private void index(String file, String... tensorsAndFiles) throws IOException {
    StringBuilder map = new StringBuilder();
    for (int i = 0; i < tensorsAndFiles.length; i += 2) {
      map.append(i == 0 ? "" : ",");
      map.append('"' + tensorsAndFiles[i] + "\":\"" + tensorsAndFiles[i + 1] + '"');
    }
    Files.writeString(
        folder.resolve(file), "{\"metadata\":{\"total_size\":1},\"weight_map\":{" + map + "}}");
  }

  private int value(CheckpointWeights weights, String name) {
    return weights.map(name, 0, 1).get();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "model.safetensors pytorch_model.bin|''|model.safetensors",
        "model.safetensors model.safetensors.index.json|''|model.safetensors",
        "model.safetensors.index.json pytorch_model.bin|''|model.safetensors.index.json",
        "pytorch_model.bin tf_model.h5|''|pytorch_model.bin",
        "pytorch_model.bin.index.json|''|pytorch_model.bin.index.json",
        "diffusion_pytorch_model.bin diffusion_pytorch_model.safetensors|''|diffusion_pytorch_model.safetensors",
        "diffusion_pytorch_model.bin|''|diffusion_pytorch_model.bin",
        "model.safetensors model.fp16.safetensors|''|model.safetensors",
        "model.safetensors model.fp16.safetensors|fp16|model.fp16.safetensors",
        "model.fp16.safetensors|''|model.fp16.safetensors",
        "model.fp16.safetensors model.bf16.safetensors|''|-",
        "diffusion_pytorch_model.non_ema.safetensors|''|-",
        "diffusion_pytorch_model.non_ema.safetensors|non_ema|diffusion_pytorch_model.non_ema.safetensors",
        "model.safetensors.index.fp16.json|fp16|model.safetensors.index.fp16.json",
        "model.fp16.safetensors.index.json|fp16|model.fp16.safetensors.index.json",
        "model.safetensors|fp16|-",
        "model.ckpt model.h5 flax_model.msgpack|''|-"
      })
  void prefersSafetensorsAndPlainFiles(String names, String variant, String chosen) {
    assertThat(CheckpointFiles.choose(List.of(names.split(" ")), variant).orElse(null))
        .isEqualTo(chosen);
  }

  @Test
  void opensShards() throws IOException {
    safetensors("model-00001-of-00002.safetensors", "a", 1, "shared", 2);
    safetensors("model-00002-of-00002.safetensors", "b", 3);
    index(
        "model.safetensors.index.json",
        "a",
        "model-00001-of-00002.safetensors",
        "b",
        "model-00002-of-00002.safetensors");
    try (CheckpointWeights weights = CheckpointFiles.open(folder)) {
      assertThat(weights.names()).containsExactly("a", "shared", "b");
      assertThat(value(weights, "b")).isEqualTo(3);
    }
  }

  @Test
  void believesTheIndexWhereShardsDisagree() throws IOException {
    safetensors("one.safetensors", "a", 1, "b", 2);
    safetensors("two.safetensors", "b", 3);
    index("model.safetensors.index.json", "a", "one.safetensors", "b", "two.safetensors");
    try (CheckpointWeights weights = CheckpointFiles.open(folder)) {
      assertThat(value(weights, "b")).isEqualTo(3);
    }
    index("model.safetensors.index.json", "a", "one.safetensors", "c", "two.safetensors");
    assertThatThrownBy(() -> CheckpointFiles.open(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("two.safetensors: b also stands in");
  }

  @Test
  void opensShardsOfTorch() throws IOException {
    Files.copy(TorchCheckpointTest.golden("views.bin"), folder.resolve("p-1.bin"));
    Files.copy(TorchCheckpointTest.golden("types.bin"), folder.resolve("p-2.bin"));
    index("pytorch_model.bin.index.json", "whole", "p-1.bin", "type.float32", "p-2.bin");
    Path copy;
    try (CheckpointWeights weights = CheckpointFiles.open(folder)) {
      assertThat(weights.names()).contains("block", "type.bfloat16");
      copy = weights.locate("block").file();
      assertThat(copy).exists();
    }
    assertThat(copy).doesNotExist();
    Files.copy(TorchCheckpointTest.golden("evil.bin"), folder.resolve("p-3.bin"));
    index("pytorch_model.bin.index.json", "w", "p-1.bin", "x", "p-3.bin");
    assertThatThrownBy(() -> CheckpointFiles.open(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("p-3.bin")
        .hasMessageContaining("posix.system");
  }

  @Test
  void opensSingleFiles() throws IOException {
    Files.copy(TorchCheckpointTest.golden("net.bin"), folder.resolve("pytorch_model.bin"));
    try (CheckpointWeights weights = CheckpointFiles.open(folder)) {
      assertThat(weights.description()).endsWith("pytorch_model.bin");
      assertThat(weights.names()).contains("embed.weight");
    }
    safetensors("model.fp16.safetensors", "a", 7);
    try (CheckpointWeights weights = CheckpointFiles.open(folder, "fp16")) {
      assertThat(value(weights, "a")).isEqualTo(7);
    }
  }

  @Test
  void saysWhatIsMissing() throws IOException {
    assertThatThrownBy(() -> CheckpointFiles.open(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(
            folder
                + ": has no weights; expected model.safetensors, its index or pytorch_model.bin,"
                + " found none; is the download complete?");
    Files.writeString(folder.resolve("tf_model.h5"), "");
    assertThatThrownBy(() -> CheckpointFiles.open(folder, "fp16"))
        .hasMessageContaining("no weights of variant fp16; expected model.fp16.safetensors")
        .hasMessageContaining("found [tf_model.h5]");
    index("model.safetensors.index.json", "a", "model-1.safetensors");
    assertThatThrownBy(() -> CheckpointFiles.open(folder))
        .hasMessageContaining(
            "model-1.safetensors: no such file, but model.safetensors.index.json");
    assertThatThrownBy(() -> CheckpointFiles.open(folder.resolve("none")))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("cannot be listed");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../m.safetensors",
        "/m.safetensors",
        "x/m.safetensors",
        "m.pkl",
        "",
        ".safetensors",
        "C:m.safetensors",
        "..\\\\m.safetensors",
        "m.safetensors\\u0000",
        "m.safetensors/.."
      })
  void refusesShardsOutsideOfTheFolder(String name) throws IOException {
    index("model.safetensors.index.json", "a", name);
    assertThatThrownBy(() -> CheckpointFiles.open(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected a plain name");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{}",
        "{\"weight_map\":{}}",
        "{\"weight_map\":[]}",
        "{\"weight_map\":{\"a\":1}}",
        "{\"weight_map\":{\"a\":null}}",
        "{\"weight_map\":{\"a\":\"x.bin\",\"a\":\"x.bin\"}}"
      })
  void refusesIndexesThatAreNone(String index) throws IOException {
    Files.writeString(folder.resolve("model.safetensors.index.json"), index);
    assertThatThrownBy(() -> CheckpointFiles.open(folder)).isInstanceOf(CheckpointException.class);
  }

  @Test
  void takesTensorsFoundElsewhere() throws IOException {
    Path file = Files.write(folder.resolve("x"), new byte[] {1, 2, 3, 4});
    StoredTensor tensor = new StoredTensor("t", DType.U8, new long[] {2}, file, 1, 2);
    try (CheckpointWeights weights = CheckpointWeights.of("mine", List.of(tensor))) {
      assertThat(TorchCheckpointTest.bytes(weights, "t")).containsExactly(2, 3);
    }
    List<StoredTensor> twice = new ArrayList<>(Arrays.asList(tensor, tensor));
    assertThatThrownBy(() -> CheckpointWeights.of("mine", twice))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected once");
  }
}
