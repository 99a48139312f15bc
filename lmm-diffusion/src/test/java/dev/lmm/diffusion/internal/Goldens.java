package dev.lmm.diffusion.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Image;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Reads and compares what the reference made, and writes files in its format. */
final class Goldens {
  static final Path FOLDER = Path.of("../lmm-diffusion/src/test/resources/golden");

  private Goldens() {}

  static CheckpointWeights open(String name) {
    return CheckpointWeights.ofSafetensors(
        name, List.of(FOLDER.resolve(name).resolve("golden.safetensors")));
  }

  static Tensor tensor(CheckpointWeights golden, String name) {
    StoredTensor stored = golden.locate(name);
    ByteBuffer bytes = golden.map(name, 0, (int) stored.length());
    ByteBuffer copy = ByteBuffer.allocateDirect(bytes.remaining()).order(bytes.order());
    copy.put(bytes).flip();
    return Tensor.of(stored.dtype(), stored.shape(), copy);
  }

  static void close(Tensor actual, Tensor expected, String what) {
    assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
    float[] a = actual.toFloats();
    float[] e = expected.toFloats();
    double worst = 0;
    for (int i = 0; i < a.length; i++) {
      assertThat(Float.isFinite(a[i])).as("%s [%d] is finite", what, i).isTrue();
      worst = Math.max(worst, Math.abs(a[i] - e[i]));
    }
    assertThat(worst).as(what).isLessThan(1e-4);
  }

  /** The largest difference of a picture from a golden, in levels of 255. */
  static int levels(Image made, CheckpointWeights golden, String name) {
    Tensor expected = tensor(golden, name);
    assertThat(List.of(made.height(), made.width()))
        .as(name)
        .containsExactly((int) expected.dim(0), (int) expected.dim(1));
    int worst = 0;
    for (int i = 0; i < made.rgb().length; i++) {
      worst = Math.max(worst, Math.abs((expected.data().get(i) & 0xFF) - (made.rgb()[i] & 0xFF)));
    }
    return worst;
  }

  /** Writes F32 tensors as safetensors. */
  static void write(Path file, Map<String, Tensor> tensors) throws IOException {
    StringBuilder header = new StringBuilder("{");
    long end = 0;
    for (Map.Entry<String, Tensor> each : tensors.entrySet()) {
      long begin = end;
      end += each.getValue().elements() * 4;
      header
          .append(header.length() == 1 ? "" : ",")
          .append('"')
          .append(each.getKey())
          .append("\":{\"dtype\":\"F32\",\"shape\":")
          .append(java.util.Arrays.toString(each.getValue().shape()))
          .append(",\"data_offsets\":[" + begin + "," + end + "]}");
    }
    byte[] text = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer all =
        ByteBuffer.allocate(8 + text.length + (int) end).order(ByteOrder.LITTLE_ENDIAN);
    all.putLong(text.length).put(text);
    for (Tensor each : tensors.values()) {
      for (float v : each.toFloats()) {
        all.putFloat(v);
      }
    }
    Files.write(file, all.array());
  }
}
