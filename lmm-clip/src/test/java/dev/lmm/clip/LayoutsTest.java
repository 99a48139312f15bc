package dev.lmm.clip;

import static dev.lmm.clip.Golden.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.Encoder;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.StoredTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files that a checkpoint's weights are published in: a load of each, the same numbers. */
class LayoutsTest {
  private static final Path ROOT = Path.of("src/test/resources/golden");

  @TempDir Path folder;

  /** Everything of a checkpoint but its weights. */
  private void copy(String name) throws IOException {
    try (Stream<Path> files = Files.list(ROOT.resolve(name))) {
      for (Path file : files.toList()) {
        String own = file.getFileName().toString();
        if (!own.startsWith("golden.") && !own.endsWith("safetensors") && !own.endsWith(".bin")) {
          Files.copy(file, folder.resolve(own));
        }
      }
    }
  }

  private void equalsTheReference(String name, String variant) {
    try (Golden golden = new Golden(name);
        Encoder encoder = Clip.from(folder).variant(variant).engine("onnx").load()) {
      float[] found = encoder.images(golden.images()).raw().run().vector(0);
      float[] expected = new float[found.length];
      System.arraycopy(golden.floats("image_raw"), 0, expected, 0, expected.length);
      assertClose(name, found, expected, 1e-4);
      float[] text = encoder.texts(golden.texts).raw().run().vector(0);
      float[] wanted = new float[text.length];
      System.arraycopy(golden.floats("text_raw"), 0, wanted, 0, wanted.length);
      assertClose(name, text, wanted, 1e-4);
    }
  }

  @Test
  void safetensorsInOneFile() throws IOException {
    copy("clip-openai");
    Files.copy(ROOT.resolve("clip-openai/model.safetensors"), folder.resolve("model.safetensors"));
    equalsTheReference("clip-openai", "");
  }

  @Test
  void safetensorsInAVariant() throws IOException {
    copy("clip-fp16");
    Files.copy(
        ROOT.resolve("clip-fp16/model.safetensors"), folder.resolve("model.fp16.safetensors"));
    equalsTheReference("clip-fp16", "fp16");
  }

  @Test
  void safetensorsInShards() throws IOException {
    copy("clip-openai");
    Path whole = ROOT.resolve("clip-openai/model.safetensors");
    StringBuilder index = new StringBuilder("{\"weight_map\":{\"none\":\"\"");
    try (CheckpointWeights weights =
        CheckpointWeights.ofSafetensors("clip-openai", List.of(whole))) {
      List<String> names = new ArrayList<>(weights.names());
      for (int shard = 0; shard < 3; shard++) {
        String file = "model-0000" + (shard + 1) + "-of-00003.safetensors";
        List<String> own = new ArrayList<>();
        for (int i = shard; i < names.size(); i += 3) {
          own.add(names.get(i));
          index.append(",\"" + names.get(i) + "\":\"" + file + '"');
        }
        write(weights, own, folder.resolve(file));
      }
    }
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        index.append("}}").toString().replace("\"none\":\"\",", ""));
    equalsTheReference("clip-openai", "");
  }

  private static void write(CheckpointWeights weights, List<String> names, Path file)
      throws IOException {
    StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
    int end = 0;
    for (String name : names) {
      StoredTensor tensor = weights.locate(name);
      String shape = Arrays.toString(tensor.shape()).replace(" ", "");
      header.append(
          ",\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
              .formatted(name, tensor.dtype(), shape, end, end + tensor.length()));
      end += (int) tensor.length();
    }
    byte[] text = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(8 + text.length + end).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(text.length).put(text);
    for (String name : names) {
      out.put(weights.map(name, 0, (int) weights.locate(name).length()));
    }
    Files.write(file, out.array());
  }

  /** As openai published it. */
  @Test
  void aPickleInAZip() throws IOException {
    copy("clip-openai-bin");
    Files.copy(
        ROOT.resolve("clip-openai-bin/pytorch_model.bin"), folder.resolve("pytorch_model.bin"));
    equalsTheReference("clip-openai-bin", "");
  }

  /** In shards, one a zip and one in the form of torch before 1.6. */
  @Test
  void picklesInShardsZippedAndOlder() throws IOException {
    copy("clip-openai-bin");
    Files.copy(
        ROOT.resolve("clip-openai-bin/pytorch_model.bin"),
        folder.resolve("pytorch_model-00001-of-00002.bin"));
    for (String file :
        List.of("pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json")) {
      Files.copy(ROOT.resolve("clip-openai-bin/shards").resolve(file), folder.resolve(file));
    }
    equalsTheReference("clip-openai-bin", "");
    Files.delete(folder.resolve("pytorch_model-00002-of-00002.bin"));
    assertThatThrownBy(() -> Clip.from(folder).load())
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("pytorch_model-00002-of-00002.bin");
    assertThat(
            Files.readAllBytes(
                ROOT.resolve("clip-openai-bin/shards/pytorch_model-00002-of-00002.bin")))
        .startsWith(0x80, 0x02, 0x8a, 0x0a);
  }
}
